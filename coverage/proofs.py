"""What tests have shown of the active techniques, in figures for the home page: how far each is covered, what is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from coverage.models import TechniqueCoverage, Test
from coverage.status import Status
from coverage.workflow import State

LOOKS: Final = {
    Status.VALIDATED: "good",
    Status.PARTIAL: "part",
    Status.IN_PROGRESS: "move",
    Status.NOT_COVERED: "none",
}
"""Status -> its fill, best first."""


@dataclass(frozen=True, slots=True)
class StatusPart:
    """One part of the status bar; x and width are percentages for SVG, `url` is the list of its techniques."""

    status: Status
    number: int
    x: str
    width: str
    look: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """Active techniques by what tests have shown. `tests` counts their live tests, `waiting` those in review.

    `tested` are the ids of techniques with a live test of their own, `proven` those on which a validated test met what it
    expected, `gaps` those on which validated tests only missed, `due` those that a lead should look at again.
    """

    tests: int
    tested: frozenset[str]
    proven: int
    gaps: int
    due: int
    waiting: int
    parts: tuple[StatusPart, ...]


def proofs(active: Collection[str]) -> Proofs:
    """What tests have shown of the `active` techniques, given by ATT&CK id: two queries."""
    columns = ("technique_id", "status", "proven", "proven_gap", "review_required", "tests_total")
    rows = [row for row in TechniqueCoverage.objects.order_by().values_list(*columns) if row[0] in active]
    statuses = Counter(Status(row[1]) for row in rows)
    statuses[Status.NOT_COVERED] += len(active) - len(rows)
    return Proofs(
        tests=sum(row[5] for row in rows),
        tested=frozenset(row[0] for row in rows if row[5]),
        proven=sum(row[2] for row in rows),
        gaps=sum(row[3] for row in rows),
        due=sum(row[4] for row in rows),
        waiting=Test.objects.live().filter(state=State.IN_REVIEW).count(),
        parts=tuple(_parts(statuses, len(active))),
    )


def _parts(statuses: Counter[Status], total: int) -> Iterator[StatusPart]:
    start = 0
    for status, look in LOOKS.items():
        number = statuses[status]
        url = reverse("coverage:technique-list", query={"status": status.value})
        yield StatusPart(status, number, _share(start, total), _share(number, total), look, url)
        start += number


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "0%"
