"""What the facts of a test amount to: the headline outcome, and whether it is what was expected. Derived, never typed."""

from collections.abc import Iterable
from typing import Final

from django.db.models import TextChoices

from coverage.testing.workflow import State


class Sighting(TextChoices):
    """What the defence can do about a procedure, and what a test can expect of it; from least to best."""

    LOGGED = "logged", "Logged"
    ALERTED = "alerted", "Alerted"
    PREVENTED = "prevented", "Prevented"


class Outcome(TextChoices):
    """The headline of a test, from worst to best, beside `not_tested`: nobody recorded a fact."""

    NOT_TESTED = "not_tested", "Not tested"
    MISSED = "missed", "Missed"
    LOGGED = "logged", "Logged"
    ALERTED = "alerted", "Alerted"
    PREVENTED = "prevented", "Prevented"


class Verdict(TextChoices):
    """What one test says for the status of its technique."""

    OPEN = "open", "Open"
    REJECTED = "rejected", "Rejected"
    MET = "met", "Met"
    ATTESTED = "attested", "Attested"
    MISSED = "missed", "Missed"


RANK: Final = {outcome: rank for rank, outcome in enumerate(Outcome)}
SHORT_OF: Final = {
    expected: tuple(
        outcome for outcome in Outcome if RANK[Outcome.NOT_TESTED] < RANK[outcome] < RANK[Outcome(expected)]
    )
    for expected in Sighting
}
"""Expectation -> the outcomes that somebody recorded and that are less than it."""


def headline(facts: Iterable[tuple[Sighting, bool]]) -> Outcome:
    """The best of what was seen, from facts as (kind, seen); `missed` if nothing was, `not_tested` without any fact."""
    recorded = list(facts)
    seen = [Outcome(kind.value) for kind, was_seen in recorded if was_seen]
    if seen:
        return max(seen, key=RANK.__getitem__)
    return Outcome.MISSED if recorded else Outcome.NOT_TESTED


def met(outcome: Outcome, expected: Sighting) -> bool:
    """Whether the facts are as good as expected, or better. Nothing recorded meets nothing."""
    return RANK[outcome] >= RANK[Outcome(expected.value)]


def verdict(state: State, outcome: Outcome, expected: Sighting) -> Verdict:
    """What a test says, given its state, headline and expectation. Only a validated test says more than that it is there."""
    if state == State.REJECTED:
        return Verdict.REJECTED
    if state != State.VALIDATED:
        return Verdict.OPEN
    if outcome == Outcome.NOT_TESTED:
        return Verdict.ATTESTED
    return Verdict.MET if met(outcome, expected) else Verdict.MISSED
