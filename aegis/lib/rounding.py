"""Rounding as people and spreadsheets do it: a half goes up, where Python's own goes to the even neighbour."""

from math import floor
from typing import Final

NOISE: Final = 1e-9
"""What floating point may take from a half: 1.005 × 100 is 100.49999999999999."""


def half_up(number: float, decimals: int) -> float:
    """A number that is not negative, with so many decimals."""
    scale = 10**decimals
    return float(floor(number * scale + 0.5 + NOISE) / scale)
