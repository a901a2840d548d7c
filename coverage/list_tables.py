"""The columns of the lists of news, layers, gaps and defences against gaps, as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from aegis.lib.exports import Table
from coverage.gaps.defences import CounteredGap, OpenGap, countered
from coverage.gaps.ranking import Gap
from coverage.news.inbox import Row, in_order, rows

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


def _of_owner(name: str) -> Callable[[Gap], Any]:
    """The column of one fact of a gap's owner, empty where nobody has it."""
    return lambda gap: getattr(gap.owner, name, "")


GAPS: Final = Table(
    "gaps",
    {
        "Rank": "rank",
        "Id": "mitre_id",
        "Technique": "name",
        "Score": "score",
        "Status": "status",
        "Proven gap": "proven_gap",
        "Need": "need",
        "Actors": "actors",
        "Users": "users",
        "Owner": _of_owner("named"),
        "Due": _of_owner("due_on"),
        "Note": _of_owner("note"),
        "Arithmetic": "arithmetic",
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
        yield from rows(in_order(some))


def countered_rows(gaps: Sequence[OpenGap]) -> Iterator[CounteredGap]:
    """Each gap with what counters it; one query for each two hundred."""
    for some in _some_at_once(gaps):
        yield from countered(some)


def _some_at_once(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), AT_ONCE):
        yield rows[start : start + AT_ONCE]
