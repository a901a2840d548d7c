"""How a campaign stands: its tests by state and outcome, how fast they were seen, and what a retest changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from coverage.models import Campaign, Test
from coverage.testing.outcomes import RANK, Outcome
from coverage.testing.workflow import DECIDED, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The live tests of a campaign, counted. Every state and outcome has a figure, if only nought.

    `detected` tests have a time from start to detection, of which `time_to_detect` is the median.
    """

    total: int
    states: Mapping[State, int]
    outcomes: Mapping[Outcome, int]
    detected: int
    time_to_detect: timedelta | None

    @property
    def decided(self) -> int:
        """Tests on which somebody decided."""
        return sum(self.states[state] for state in DECIDED)

    @property
    def percent(self) -> int:
        """The share of tests that are decided, in whole percent."""
        return 100 * self.decided // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test in two runs; one of them is None where the other run lacks it.

    `change` is better, worse, same; pending while one of them has no outcome; new, gone.
    """

    first: Test | None
    second: Test | None
    change: str


def campaign_progress(campaign: Campaign) -> Progress:
    """The progress of a campaign: two queries."""
    return progress_of(list(campaign.tests.live().without_texts().prefetch_related("outcomes")))


def progress_of(tests: Sequence[Test]) -> Progress:
    """The progress of tests that are there with their outcomes: no query."""
    states = Counter(test.state for test in tests)
    outcomes = Counter(test.outcome for test in tests)
    seconds = [time.total_seconds() for test in tests if (time := test.time_to_detect) is not None]
    return Progress(
        total=len(tests),
        states={state: states[state.value] for state in State},
        outcomes={outcome: outcomes[outcome.value] for outcome in Outcome},
        detected=len(seconds),
        time_to_detect=timedelta(seconds=median(seconds)) if seconds else None,
    )


def compare_runs(first: Campaign, second: Campaign) -> list[Comparison]:
    """The tests of two campaigns side by side, in the order of the second; what only the first has stands at the end.

    A retest stands beside what it repeats; others beside the first of the same technique, template and name.
    """
    return compare_tests(tests_of(first), tests_of(second))


def compare_tests(first: Sequence[Test], second: Sequence[Test]) -> list[Comparison]:
    """The same of two runs whose tests are there, each in the order of its campaign: no query."""
    return list(_pairs(first, second))


def tests_of(campaign: Campaign) -> list[Test]:
    """The live tests of a campaign in its order, each with its technique. One query."""
    return list(campaign.tests.live().in_campaign_order().without_texts().select_related("technique"))


def _pairs(first: Sequence[Test], second: Sequence[Test]) -> Iterator[Comparison]:
    left = {test.pk: test for test in first}
    linked = {test.pk: left.pop(test.retest_of_id, None) for test in second if test.retest_of_id}
    for test in second:
        before = linked.get(test.pk) or _alike(left, test)
        yield Comparison(before, test, _change(before, test))
    for test in left.values():
        yield Comparison(test, None, "gone")


def _alike(left: dict[int, Test], test: Test) -> Test | None:
    found = next((pk for pk, other in left.items() if _name(other) == _name(test)), None)
    return left.pop(found) if found is not None else None


def _name(test: Test) -> tuple[object, ...]:
    return (test.technique_id, test.template_id, test.name)


def _change(before: Test | None, after: Test) -> str:
    if before is None:
        return "new"
    if Outcome.NOT_TESTED in {before.outcome, after.outcome}:
        return "pending"
    rise = RANK[Outcome(after.outcome)] - RANK[Outcome(before.outcome)]
    return "better" if rise > 0 else "worse" if rise < 0 else "same"
