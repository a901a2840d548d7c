"""Rounding gives what a pocket calculator and a spreadsheet give."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.lib.rounding import half_up


@pytest.mark.parametrize(
    ("number", "decimals", "rounded"),
    [
        (0.125, 2, 0.13),
        (0.375, 2, 0.38),
        (1.005, 2, 1.01),
        (6.25, 1, 6.3),
        (0.0, 1, 0.0),
        (99.95, 1, 100.0),
        (0.124, 2, 0.12),
    ],
)
def test_a_half_goes_up(number, decimals, rounded):
    assert half_up(number, decimals) == rounded


@given(part=st.integers(0, 2000), whole=st.integers(1, 2000))
def test_shares_are_rounded_as_in_exact_arithmetic(part, whole):
    exact = (Decimal(100 * part) / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert half_up(100 * part / whole, 1) == float(exact)
