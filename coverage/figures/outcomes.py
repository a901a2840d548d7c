"""How validated tests ended: counted for all, by tactic, and by the month in which they were decided."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import CharField, Count, QuerySet
from django.db.models.functions import Cast, Substr

from aegis.lib.days import first_moment, last_moment
from coverage.figures.standing import Standing
from coverage.models import Test
from coverage.testing.outcomes import Outcome
from coverage.testing.workflow import State


@dataclass(frozen=True, slots=True)
class OutcomeFigures:
    """Validated tests by outcome, which add up to `tests`. `key`: a tactic's short name, a month (2026-01), empty for all."""

    key: str
    name: str
    tests: int
    outcomes: Mapping[str, int]


def outcomes_by_tactic(
    standing: Standing, since: date | None = None, until: date | None = None
) -> list[OutcomeFigures]:
    """All tests first, then each tactic; decided in the period, both days included, in UTC. One query."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    rows = decided(since, until).values_list("technique_id", "outcome").annotate(Count("pk"))
    for mitre_id, outcome, number in rows:
        counted[str(mitre_id)][outcome] += number
    everything = sum(counted.values(), Counter[str]())
    return [
        _figures("", "All tests", everything),
        *(
            _figures(tactic.shortname, tactic.name, sum((counted[one] for one in members & counted.keys()), Counter()))
            for tactic, members in standing.tactics.items()
        ),
    ]


def outcomes_by_month(since: date | None = None, until: date | None = None) -> list[OutcomeFigures]:
    """The months in which tests were decided, in order. One query."""
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    # Both databases write a moment as "2026-01-05 ...": its month is cut off much faster than worked out.
    month = Substr(Cast("decided_at", CharField()), 1, len("2026-01"))
    rows = decided(since, until).annotate(month=month).values_list("month", "outcome")
    for name, outcome, number in rows.annotate(Count("pk")):
        counted[name][outcome] += number
    return [_figures(month, month, counted[month]) for month in sorted(counted)]


def decided(since: date | None, until: date | None) -> QuerySet[Test]:
    """Live validated tests that were decided in a period."""
    tests = Test.objects.live().filter(state=State.VALIDATED).order_by()
    if since:
        tests = tests.filter(decided_at__gte=first_moment(since))
    return tests.filter(decided_at__lte=last_moment(until)) if until else tests


def _figures(key: str, name: str, counted: Counter[str]) -> OutcomeFigures:
    return OutcomeFigures(
        key, name, sum(counted.values()), {outcome.value: counted[outcome.value] for outcome in Outcome}
    )
