"""The annex of a report: its tests with what was decided on which SHA-256, and the SHA-256 of each file that proves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django.db.models import Prefetch, QuerySet
from django.urls import reverse

from aegis.lib.exports import Table
from coverage.models import Evidence, Test, TestInvolvement
from coverage.testing.outcomes import Verdict

LONG_TEXTS: Final = ("procedure", "commands", "cleanup_commands", "blue_notes", "input_arguments")


def with_annex(tests: QuerySet[Test]) -> QuerySet[Test]:
    """The tests with all that an annex says of them: four queries, whatever their number."""
    executed = TestInvolvement.objects.filter(kind=TestInvolvement.Kind.EXECUTED).select_related("user")
    return (
        tests.defer(*LONG_TEXTS)
        .select_related("technique", "campaign", "submitted_by", "decided_by")
        .prefetch_related(
            "outcomes",
            Prefetch("evidence", Evidence.objects.select_related("uploaded_by").order_by("uploaded_at", "pk")),
            Prefetch("involvements", executed, to_attr="executions"),
        )
    )


def executed_by(test: Test) -> list[str]:
    """Who carried the test out, of one that is there `with_annex`."""
    executions: list[TestInvolvement] = getattr(test, "executions", [])
    return [one.user.username for one in executions]


def _seconds(test: Test) -> Any:
    span = test.time_to_detect
    return None if span is None else round(span.total_seconds())


ANNEX: Final = Table(
    "annex",
    {
        "Test": "pk",
        "Name": "name",
        "Technique": "technique_id",
        "Technique name": "technique.name",
        "Campaign": lambda test: test.campaign.name if test.campaign else "",
        "State": "state",
        "Outcome": "outcome",
        "Expected": "expected_outcome",
        "Met": lambda test: {Verdict.MET: True, Verdict.MISSED: False}.get(test.verdict),
        "Started": "started_at",
        "First seen": "first_seen_at",
        "Seconds to detect": _seconds,
        "Executed by": executed_by,
        "Submitted by": lambda test: test.submitted_by.username if test.submitted_by else "",
        "Decided by": lambda test: test.decided_by.username if test.decided_by else "",
        "Decided at": "decided_at",
        "Decided on SHA-256": "decided_on_hash",
        "Evidence SHA-256": lambda test: [f"{file.sha256} {file.original_name}" for file in test.evidence.all()],
    },
)


@dataclass(frozen=True, slots=True)
class Annexed:
    """A decided test as the annex of the executive report prints it; `files` are (name, SHA-256)."""

    pk: int
    name: str
    mitre_id: str
    outcome: str
    decided_by: str
    decided_at: datetime
    decided_on_hash: str
    files: tuple[tuple[str, str], ...]

    @property
    def url(self) -> str:
        """The test."""
        return reverse("coverage:test-detail", args=[self.pk])


def annexed(tests: QuerySet[Test], most: int) -> Iterator[Annexed]:
    """The first `most` of these decided tests, in their order, with their files. One query."""
    columns = ("pk", "name", "technique_id", "outcome", "decided_by__username", "decided_at", "decided_on_hash")
    joined = tests.model._default_manager.filter(pk__in=tests.values("pk")[:most]).order_by(
        *tests.query.order_by, "evidence__uploaded_at", "evidence__pk"
    )
    rows = joined.values_list(*columns, "evidence__original_name", "evidence__sha256")
    for test, files in groupby(rows, key=lambda row: row[: len(columns)]):
        facts: tuple[Any, ...] = test
        pk, name, mitre_id, outcome, decider, at, digest = facts
        named = tuple((file, sha256) for *_, file, sha256 in files if sha256)
        yield Annexed(pk, name, mitre_id, outcome, decider, at, digest, named)
