"""How long something took reads the same wherever it stands."""

import re
from datetime import timedelta

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from aegis.lib.durations import duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0, "0 s"),
        (0.04, "0 s"),
        (4.1, "4.1 s"),
        (5.0, "5 s"),
        (9.96, "10 s"),
        (51, "51 s"),
        (51.4, "51 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (720, "12 min"),
        (3_599.6, "1 h"),
        (12_600, "3 h 30 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d"),
        (181_440, "2 d 2 h"),
    ],
)
def test_durations_are_short_and_in_words(seconds, text):
    assert duration(seconds) == text
    span = None if seconds is None else timedelta(seconds=seconds)
    assert Template("{{ span|duration }}").render(Context({"span": span})) == text


@given(st.floats(min_value=0, max_value=10**9))
def test_a_duration_is_never_told_longer_than_it_was_nor_much_shorter(seconds):
    sizes = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
    parts = re.findall(r"([\d.]+) (d|h|min|s)", duration(seconds))
    told = sum(float(number) * sizes[unit] for number, unit in parts)
    assert told - 0.5 <= seconds <= told + sizes[parts[0][1]]
