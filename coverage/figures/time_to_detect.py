"""Time to detect: from the start of a validated test until the defence first saw it, for all and for each tactic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from coverage.figures.standing import Standing
from coverage.models import Test, TestOutcome
from coverage.testing.outcomes import Sighting
from coverage.testing.workflow import State


@dataclass(frozen=True, slots=True)
class TimeToDetect:
    """Of a tactic by its short name, or of all tests (empty key): `tests` have both times; whole seconds, None without any.

    The median is that of the tests; nine tenths of them were detected within `p90_seconds` (nearest rank).
    """

    key: str
    name: str
    tests: int
    median_seconds: int | None
    p90_seconds: int | None


def times_to_detect(standing: Standing) -> list[TimeToDetect]:
    """All tests first, then each tactic in the release's order. One query."""
    found = list(times_of(Test.objects.live().filter(state=State.VALIDATED)))
    everything = figures_of("", "All tests", [seconds for _, seconds in found])
    return [everything, *_by_tactic(standing, found)]


def times_of(tests: QuerySet[Test, Test]) -> Iterator[tuple[str, float]]:
    """(technique, seconds) of each of the tests that has both times, as `Test.time_to_detect` has it. One query."""
    sightings = TestOutcome.objects.filter(test=OuterRef("pk"), seen=True).exclude(kind=Sighting.LOGGED)
    first = sightings.exclude(at=None).order_by("at").values("at")[:1]
    seen = tests.annotate(seen_at=Coalesce("detected_at", Subquery(first))).filter(seen_at__gte=F("started_at"))
    for mitre_id, started, at in seen.order_by().values_list("technique_id", "started_at", "seen_at"):
        yield str(mitre_id), (at - started).total_seconds()


def figures_of(key: str, name: str, seconds: Sequence[float]) -> TimeToDetect:
    """The figures of some times in seconds."""
    ranked = sorted(seconds)
    if not ranked:
        return TimeToDetect(key, name, 0, None, None)
    return TimeToDetect(key, name, len(ranked), round(median(ranked)), round(ranked[ceil(0.9 * len(ranked)) - 1]))


def _by_tactic(standing: Standing, found: Iterable[tuple[str, float]]) -> Iterator[TimeToDetect]:
    rows = list(found)
    for tactic, members in standing.tactics.items():
        yield figures_of(tactic.shortname, tactic.name, [seconds for mitre_id, seconds in rows if mitre_id in members])
