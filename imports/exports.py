"""The columns of the lists of runs and of published ids, as files."""

from typing import Final

from aegis.lib.exports import Table

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
