"""Cells that a spreadsheet shows and never runs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.lib.csv_cells import RUNS, cell, csv_lines

PREFIXES = [f"{blank}{sign}" for sign in sorted(RUNS) for blank in ("", " ", "\ufeff", "\u200b", "\u00a0")]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(prefix):
    assert cell(f"{prefix}1+1") == f"'{prefix}1+1"


@pytest.mark.parametrize(
    ("value", "text"),
    [("plain", "plain"), ("a=b", "a=b"), ("", ""), (None, ""), (-5, "-5"), (True, "True"), (" ", " ")],
)
def test_other_values_stay_as_they_are(value, text):
    assert cell(value) == text


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1))
def test_text_comes_back_whole_and_never_as_a_formula(texts):
    (line,) = csv_lines([texts])
    (cells,) = csv.reader(io.StringIO(line, newline=""))
    assert [one.removeprefix("'") if one.startswith("'") else one for one in cells] == texts
    assert not [one for one in cells if one[:1] in RUNS and one]


def test_lines_come_one_by_one():
    lines = csv_lines([n] for n in range(3))
    assert next(lines) == '"0"\r\n'
    assert list(lines) == ['"1"\r\n', '"2"\r\n']
