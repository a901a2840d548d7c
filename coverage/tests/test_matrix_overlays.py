"""Overlays over the matrix, and what is filtered and sorted by proof."""

import pytest
from django.http import QueryDict

from coverage.matrix.assembly import Mark
from coverage.matrix.query import MatrixQuery
from coverage.tests.matrix_world import (
    TRIED,
    drawn,
)


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("status=validated", {"T1.001"}),
        ("status=partial", {"T1", "T2"}),
        ("status=not_covered", {"T1.002", "T3"}),
        ("status=proven_gap", {"T1.002"}),
        ("status=unknown", {"T3"}),
        ("review=due", {"T1.002", "T3"}),
        ("age=30", {"T1.001"}),
        ("age=365", {"T1.001"}),
        ("age=older", {"T2"}),
        ("age=never", {"T1", "T1.002", "T3"}),
        ("outcome=missed", {"T1.002"}),
        ("campaign=7&only=marked", {"T2"}),
        ("only=marked", {"T1", "T1.001", "T1.002", "T2", "T3"}),
        ("technique=t2&technique=T3&technique=T9", {"T2", "T3"}),
        ("status=partial&campaign=7&only=marked&platform=Linux", {"T2"} - {"T2"}),
        ("status=nonsense&age=x", {"T1", "T1.001", "T1.002", "T2", "T3"}),
    ],
)
def test_filters_leave_what_they_say(query, left):
    assert {cell.mitre_id for cell in drawn(f"{query}&view=table", TRIED).rows} == left


def test_overlays_get_letters_and_figures_in_the_order_of_their_kinds():
    matrix = drawn("layer=3&framework=nist&campaign=7&campaign=8", TRIED)
    assert [
        (one.overlay.letter, one.overlay.name, one.overlay.is_known, one.total, one.claimed, one.proven)
        for one in matrix.layings
    ] == [
        ("A", "Spring", True, 1, 1, 1),
        ("B", "8", False, 0, 0, 0),
        ("C", "NIST", True, 1, 0, 0),
        ("D", "Mine", True, 1, 1, 1),
    ]
    assert matrix.marked == 2


def test_cell_shows_the_letters_and_says_what_each_overlay_says():
    cells = {cell.mitre_id: cell for cell in drawn("layer=3&framework=nist&campaign=7&view=table", TRIED).rows}
    assert cells["T2"].marks == (Mark("A"), Mark("C"))
    assert cells["T2"].said == "tried in Spring (2 tests) · in layer Mine (score 4.5: seen twice)"
    assert cells["T1.002"].said == "mitigated in NIST (1 control)"
    assert cells["T1"].marks == (Mark("B", below=True),)
    assert cells["T3"].marks == ()


def test_sixth_overlay_is_left_out_and_counted():
    query = "&".join(f"actor=G{number}" for number in range(7))
    matrix = drawn(query)
    assert [one.overlay.letter for one in matrix.layings] == list("ABCDE")
    assert MatrixQuery.of(QueryDict(query)).left_out == 2


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("proven", ["T1.001", "T2", "T1", "T1.002", "T3"]),
        ("rules", ["T2", "T1.001", "T3", "T1", "T1.002"]),
        ("marks", ["T2", "T1.002", "T1", "T1.001", "T3"]),
    ],
)
def test_table_is_sorted_by_the_chosen_figure(sort, order):
    rows = drawn(f"sort={sort}&view=table&layer=3&framework=nist&campaign=7", TRIED).rows
    assert [cell.mitre_id for cell in rows] == order


def test_columns_count_what_is_proven_and_a_review_is_flagged():
    matrix = drawn("", TRIED)
    assert [(column.proven, column.proven_share) for column in matrix.columns] == [
        (2, "50.00%"),
        (1, "50.00%"),
        (0, "0%"),
    ]
    cells = {cell.mitre_id: cell for cell in drawn("view=table", TRIED).rows}
    assert (cells["T3"].review, cells["T3"].proof) == (True, "")
    assert cells["T3"].facts.endswith(" · nothing known · review required")
