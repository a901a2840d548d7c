"""How long something took, in words: one way of writing it for pages, reports and charts."""

from datetime import timedelta
from itertools import pairwise
from typing import Final

UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def duration(span: timedelta | float | None) -> str:
    """0.4 s, 51 s, 12 min, 3 h 30 min, 2 d 1 h: at most two units, and tenths below ten seconds; a dash where it is unknown."""
    if span is None:
        return "–"
    exact = span.total_seconds() if isinstance(span, timedelta) else span
    if round(exact, 1) < 10:
        return f"{round(exact, 1):g} s"
    seconds = round(exact)
    for (unit, size), (finer, least) in pairwise(UNITS):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            return f"{whole} {unit} {rest // least} {finer}" if rest >= least else f"{whole} {unit}"
    return f"{seconds} s"
