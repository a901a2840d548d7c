"""Made-up data sources and runs."""

from typing import Any

from django.utils import timezone

from catalog.tests.factories import SEEN
from imports.models import DataSource, ImportChange, ImportIssue, ImportRun


def make_source(slug: str = "sigma", **fields: Any) -> DataSource:
    """A data source that has been synced. A migrated database holds rows of the nine sources already: they are overwritten."""
    standing = {
        "label": f"The source {slug}",
        "license": "CC0-1.0",
        "current_version": "0123abc",
        "counted_from": timezone.now(),
        "last_sync_at": SEEN,
        "last_sync_status": ImportRun.Status.SUCCEEDED,
        "last_sync_stats": {"created": 3, "updated": 2, "unchanged": 1, "withdrawn": 0, "restored": 0, "issues": 0},
    }
    return DataSource.objects.update_or_create(slug=slug, defaults=standing | fields)[0]


def make_run(source: DataSource | None = None, **fields: Any) -> ImportRun:
    """A run that succeeded; the source is made if none is given."""
    standing = {
        "status": ImportRun.Status.SUCCEEDED,
        "started_at": SEEN,
        "finished_at": SEEN,
        "version": "0123abc",
        "created": 3,
    }
    return ImportRun.objects.create(source=source or make_source(), **standing | fields)


def make_change(run: ImportRun, **fields: Any) -> ImportChange:
    """One row that a run updated."""
    standing = {
        "kind": ImportChange.Kind.UPDATED,
        "model": "catalog.DetectionRule",
        "key": "sigma/rule-1",
        "name": "Rule 1",
        "changed": {"severity": ["low", "high"]},
    }
    return ImportChange.objects.create(run=run, **standing | fields)


def make_issue(run: ImportRun, **fields: Any) -> ImportIssue:
    """One file that a run skipped."""
    standing = {"path": "rules/broken.yml", "line": 3, "message": "expected text, found a list at `title`"}
    return ImportIssue.objects.create(run=run, **standing | fields)
