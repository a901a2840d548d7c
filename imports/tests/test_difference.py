"""The difference of two values: complete, short, and readable."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.difference import Piece, as_text, difference, pieces

LINES = st.lists(st.text(alphabet="ab \n", max_size=12), max_size=12).map("\n".join)


def told(before: object, after: object) -> list[tuple[str, str]]:
    return [(piece.kind, piece.text) for piece in difference(before, after)]


@given(before=LINES, after=LINES)
def test_a_difference_holds_both_texts_whole(before: str, after: str):
    found = pieces(before, after)
    assert "".join(piece.text for piece in found if piece.kind != "new") == before
    assert "".join(piece.text for piece in found if piece.kind != "gone") == after
    assert all(piece.text for piece in found)
    assert all(one.kind != two.kind for one, two in itertools.pairwise(found))


@given(text=LINES)
def test_equal_texts_have_no_difference(text: str):
    assert {piece.kind for piece in pieces(text, text)} <= {"same"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("high", "medium", [("gone", "high"), ("new", "medium")]),
        ("", "T1059", [("new", "T1059")]),
        (None, "T1059", [("new", "T1059")]),
        (False, True, [("gone", "no"), ("new", "yes")]),
        (47, 73, [("gone", "47"), ("new", "73")]),
        ("a and b", "a and b or c", [("same", "a and b"), ("new", " or c")]),
        (["Linux"], ["Linux", "macOS"], [("same", "Linux"), ("new", "\nmacOS")]),
        (
            [{"published_id": "T1059", "position": 0}],
            [{"published_id": "T1105", "position": 0}],
            [("same", "published_id: "), ("gone", "T1059"), ("new", "T1105"), ("same", ", position: 0")],
        ),
    ],
)
def test_each_kind_of_value_is_compared_in_its_own_way(before, after, expected):
    assert told(before, after) == expected


def test_only_what_stands_around_a_difference_is_kept():
    lines = [f"line {number}" for number in range(100)]
    changed = [*lines[:50], "line fifty", *lines[51:]]
    found = told("\n".join(lines), "\n".join(changed))
    assert [kind for kind, _ in found] == ["skipped", "same", "gone", "new", "same", "skipped"]
    assert found[0] == ("skipped", "40 lines")
    assert found[1][1].splitlines() == [*(f"line {number}" for number in range(40, 50)), "line "]
    assert found[2:4] == [("gone", "50"), ("new", "fifty")]
    assert found[5] == ("skipped", "38 lines")


def test_a_long_passage_that_is_new_is_cut_and_says_so():
    assert told("", "x" * 4000) == [("new", "x" * 3000), ("skipped", "1,000 characters")]


def test_texts_that_share_little_stand_one_after_the_other():
    assert told("one two three", "alpha beta three") == [("gone", "one two three"), ("new", "alpha beta three")]


def test_a_change_of_blanks_can_be_seen():
    assert Piece("new", " \t\n").shown == "·→↵\n"
    assert Piece("same", " ").shown == " "


def test_hostile_texts_are_compared_in_time():
    """Every token everywhere is the worst that difflib can get: beyond the limit one text replaces the other."""
    assert told("a b " * 10_000, "b a " * 10_000)[0][0] == "gone"


def test_values_with_keys_leave_out_what_is_empty():
    assert as_text({"command": "whoami", "cleanup": "", "payloads": [], "elevation_required": False}) == (
        "command: whoami, elevation_required: no"
    )
