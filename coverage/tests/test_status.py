"""The status of a technique: the table of the domain, over every history of up to four tests and every family of up to three.

A history is a word, its letters in the order of the decisions: M met, A attested, X missed, R rejected, O open (it has none).
"""

import re
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from coverage.techniques.status import Status, TestSays, combined, coverage_of
from coverage.testing.outcomes import Verdict

LETTERS = {
    "M": Verdict.MET,
    "A": Verdict.ATTESTED,
    "X": Verdict.MISSED,
    "R": Verdict.REJECTED,
    "O": Verdict.OPEN,
}
START = datetime(2026, 1, 1, tzinfo=UTC)
# The first row that fits the whole word counts.
TABLE = [
    (r"", "not_covered", False),
    (r"[OR]+", "in_progress", False),
    (r"[MAR]*[MA]", "validated", False),
    (r".*[MA].*", "partial", False),
    (r"[XR]*X", "not_covered", True),
    (r".*X.*", "in_progress", True),
]
HISTORIES = ["".join(letters) for length in range(5) for letters in product(LETTERS, repeat=length)]


def says(history: str) -> list[TestSays]:
    return [
        TestSays(LETTERS[letter], None if letter == "O" else START + timedelta(days=day))
        for day, letter in enumerate(history)
    ]


def day_of(history: str, letters: str) -> datetime | None:
    days = [day for day, letter in enumerate(history) if letter in letters]
    return START + timedelta(days=max(days)) if days else None


def test_histories_are_all_there_are():
    assert len(HISTORIES) == 1 + 5 + 25 + 125 + 625


def test_status_is_what_the_table_says_for_every_history():
    for history in HISTORIES:
        _, status, gap = next(row for row in TABLE if re.fullmatch(row[0], history))
        coverage = coverage_of(says(history))
        assert (coverage.status, coverage.proven_gap) == (status, gap), history


def test_proof_needs_facts_and_an_attested_test_has_none():
    for history in HISTORIES:
        coverage = coverage_of(says(history))
        assert (coverage.proven, coverage.last_proven_at) == ("M" in history, day_of(history, "M")), history
        assert coverage.last_validated_at == day_of(history, "MAX"), history


def test_figures_count_the_tests():
    for history in HISTORIES:
        coverage = coverage_of(says(history))
        figures = (coverage.tests_total, coverage.tests_validated, coverage.tests_met, coverage.tests_attested)
        validated = len(re.findall("[MAX]", history))
        assert figures == (len(history), validated, history.count("M"), history.count("A")), history


def test_order_in_which_tests_are_given_does_not_matter():
    for history in HISTORIES:
        assert coverage_of(says(history)) == coverage_of(says(history)[::-1]), history


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([], "not_covered"),
        (["validated"], "validated"),
        (["validated", "validated"], "validated"),
        (["validated", "not_covered"], "partial"),
        (["validated", "in_progress"], "partial"),
        (["partial", "not_covered"], "partial"),
        (["in_progress", "not_covered"], "in_progress"),
        (["in_progress", "in_progress"], "in_progress"),
        (["not_covered", "not_covered"], "not_covered"),
    ],
)
def test_whole_is_what_its_parts_are(parts, status):
    assert combined(map(Status, parts)) == status


def test_every_family_is_all_validated_or_as_good_as_its_best_part_allows():
    for length in range(1, 4):
        for parts in product(Status, repeat=length):
            names = set(parts)
            wanted = (
                "validated"
                if names == {"validated"}
                else "partial"
                if names & {"validated", "partial"}
                else "in_progress"
                if "in_progress" in names
                else "not_covered"
            )
            assert combined(parts) == wanted, parts


@pytest.mark.parametrize(
    ("own", "subtechniques", "status"),
    [
        ("", ["validated", "validated"], "validated"),
        ("", ["validated", "not_covered"], "partial"),
        ("", ["not_covered"], "not_covered"),
        ("M", ["validated"], "validated"),
        ("M", ["not_covered"], "partial"),
        ("O", ["validated"], "partial"),
        ("O", ["not_covered"], "in_progress"),
        ("X", ["validated"], "partial"),
    ],
)
def test_parent_without_tests_is_its_subtechniques_and_with_tests_one_part_more(own, subtechniques, status):
    assert coverage_of(says(own), [Status(name) for name in subtechniques]).status == status


def test_what_a_parent_has_proven_is_about_its_own_tests():
    coverage = coverage_of([], [Status.VALIDATED])
    assert (coverage.proven, coverage.tests_total, coverage.last_validated_at) == (False, 0, None)


def test_rejection_at_the_very_time_of_the_validation_counts():
    same = [TestSays(Verdict.MET, START), TestSays(Verdict.REJECTED, START)]
    assert coverage_of(same).status == "partial"
