"""The columns of the lists of news, layers and defences against gaps, as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from aegis.lib.exports import Table
from coverage.gaps.defences import CounteredGap, OpenGap, countered
from coverage.news.inbox import Row, in_order, rows
from intel.models import IntelItem

AT_ONCE: Final = 200
"""Rows that are read together."""

NEWS: Final = Table(
    "news",
    {
        "Title": "item.title",
        "Feed": "item.feed.name",
        "Date": "item.at",
        "State": "item.state",
        "Assigned to": lambda row: row.item.assigned_to.username if row.item.assigned_to else "",
        "Decided by": lambda row: row.item.decided_by.username if row.item.decided_by else "",
        "Decided at": "item.decided_at",
        "Techniques": lambda row: [one.technique.mitre_id for one in row.named],
        "Actors": lambda row: [actor.name for actor in row.actors],
        "Why": "why",
        "Note": "item.note",
        "Address": "item.url",
    },
)
LAYERS: Final = Table(
    "layers",
    {
        "No.": "pk",
        "Layer": "name",
        "Purpose": "purpose",
        "Description": "description",
        "Uploaded by": "uploader",
        "Uploaded": "uploaded_at",
        "Shared": "is_shared",
        "Names": "named",
        "Marks": "marked",
        "Unresolved": "unresolved",
        "SHA-256": "sha256",
    },
)
LAYER_TECHNIQUES: Final = Table(
    "layer",
    {
        "In the layer": "published_id",
        "Technique": "technique_id",
        "Name": lambda row: row.technique.name if row.technique else "",
        "How": "resolution",
        "Marked": "marks",
        "Score": "score",
        "Comment": "comment",
    },
)
DEFENCE_GAPS: Final = Table(
    "defence-gaps",
    {
        "Id": "gap.mitre_id",
        "Technique": "gap.name",
        "Proven gap": "gap.proven_gap",
        "Actors": "gap.actors",
        "Countermeasures": lambda row: [f"{tactic}: {one.name}" for tactic, found in row.groups for one in found],
        "Artifacts": lambda row: [f"{artifact} ({number})" for artifact, number in row.artifacts],
    },
)


def news_rows(ids: Iterable[int]) -> Iterator[Row]:
    """The rows of the items of these ids, in their order; five queries for each two hundred."""
    for some in _some_at_once(list(ids)):
        yield from rows(in_order(IntelItem.objects.all(), some))


def countered_rows(gaps: Sequence[OpenGap]) -> Iterator[CounteredGap]:
    """Each gap with what counters it; one query for each two hundred."""
    for some in _some_at_once(gaps):
        yield from countered(some)


def _some_at_once(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
