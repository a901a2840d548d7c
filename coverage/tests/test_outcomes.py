"""The headline outcome of a test, and what it says: tables without exception."""

from itertools import combinations_with_replacement, product

import pytest

from coverage.testing.outcomes import Outcome, Sighting, Verdict, headline, met, verdict
from coverage.testing.workflow import State

BEST_FIRST = ["prevented", "alerted", "logged"]
FACTS = list(product(Sighting, [True, False]))
MET = {
    # headline: expectations that it meets
    "not_tested": set(),
    "missed": set(),
    "logged": {"logged"},
    "alerted": {"logged", "alerted"},
    "prevented": {"logged", "alerted", "prevented"},
}


def test_headline_is_the_best_that_was_seen():
    for number in range(4):
        for facts in combinations_with_replacement(FACTS, number):
            seen = {kind for kind, was_seen in facts if was_seen}
            wanted = next((kind for kind in BEST_FIRST if kind in seen), "missed" if facts else "not_tested")
            assert headline(facts) == wanted, facts


@pytest.mark.parametrize(("outcome", "expected"), list(product(Outcome, Sighting)))
def test_expectation_is_met_by_as_much_or_more(outcome, expected):
    assert met(outcome, expected) == (expected in MET[outcome])


@pytest.mark.parametrize(("state", "outcome", "expected"), list(product(State, Outcome, Sighting)))
def test_only_a_validated_test_says_more_than_that_it_is_there(state, outcome, expected):
    says = verdict(state, outcome, expected)
    match state:
        case State.DRAFT | State.IN_REVIEW:
            assert says == Verdict.OPEN
        case State.REJECTED:
            assert says == Verdict.REJECTED
        case State.VALIDATED if outcome == "not_tested":
            assert says == Verdict.ATTESTED
        case State.VALIDATED:
            assert says == (Verdict.MET if expected in MET[outcome] else Verdict.MISSED)
