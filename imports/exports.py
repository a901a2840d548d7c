"""The columns of the lists of runs, changes, issues, published ids, feeds and scans, as files."""

import json
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Final

from django.db.models import QuerySet

from aegis.lib.exports import Table
from imports.models import ImportChange
from imports.row_pages import kind_name

AT_ONCE: Final = 500
"""Changes that are read together."""


RUNS: Final = Table(
    "runs",
    {
        "No.": "pk",
        "Source": "source.label",
        "Status": "status",
        "Preview": "dry_run",
        "Asked by": lambda run: run.requested_by.username if run.requested_by else run.trigger,
        "Queued": "created_at",
        "Started": "started_at",
        "Finished": "finished_at",
        "Version": "version",
        "Rows read": "rows_read",
        "Created": "created",
        "Updated": "updated",
    },
)
REFERENCES: Final = Table(
    "references",
    {
        "Published id": "published_id",
        "Means now": "technique",
        "How": "resolution",
        "References": "number",
        "By source and kind": lambda one: [f"{use.number} {use.kind_name} ({use.source_label})" for use in one.uses],
    },
)
ISSUES: Final = Table("issues", {"File": "path", "Line": "line", "Reason": "message"})
FEEDS: Final = Table(
    "feeds",
    {
        "Feed": "name",
        "Address": "shown_url",
        "Kind": "kind",
        "State": "state",
        "Enabled": "enabled",
        "Every hours": "every_hours",
        "Last read": "last_ok_at",
        "Last tried": "last_tried_at",
        "Failures in a row": "failures",
        "Last error": "last_error",
        "Next scan": "due_at",
    },
)
SCANS: Final = Table(
    "scans",
    {
        "No.": "pk",
        "Feed": lambda scan: scan.feed.name if scan.feed else "all",
        "Status": "status",
        "Asked by": lambda scan: scan.requested_by.username if scan.requested_by else scan.trigger,
        "Queued": "created_at",
        "Started": "started_at",
        "Finished": "finished_at",
        "New items": "created",
        "Changed items": "updated",
        "Unchanged items": "unchanged",
        "Items read again": "reread",
        "Flagged techniques": "flagged",
        "Failed feeds": "failed_feeds",
        "Error": "error",
    },
)
OF_A_CHANGE: Final = ("change", "kind of row", "key", "name", "file", "field", "before", "after")
OF_A_RUN: Final = ("run", "source", "applied")
CHANGES: Final = Table("changes", {name: itemgetter(place) for place, name in enumerate(OF_A_CHANGE)})
"""Of the lines of one run."""

ALL_CHANGES: Final = Table("changes", {name: itemgetter(place) for place, name in enumerate(OF_A_RUN + OF_A_CHANGE)})
"""Of the lines of several runs."""


def change_lines(changes: Iterable[ImportChange]) -> Iterator[tuple[Any, ...]]:
    """A line for each field that a change touched, one for a change that touched none."""
    for change in _some_at_once(changes):
        row = (change.kind, kind_name(change.model), change.key, change.name, change.path)
        for name, (before, after) in sorted(change.changed.items()):
            yield *row, name, _text(before), _text(after)
        if not change.changed:
            yield *row, "", "", ""


def lines_of_all(changes: Iterable[ImportChange]) -> Iterator[tuple[Any, ...]]:
    """The same, each with its run in front."""
    for change in _some_at_once(changes):
        run = change.run
        for line in change_lines([change]):
            yield run.pk, run.source.label, run.finished_at, *line


def _some_at_once(changes: Iterable[ImportChange]) -> Iterable[ImportChange]:
    return changes.iterator(chunk_size=AT_ONCE) if isinstance(changes, QuerySet) else changes


def _text(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
