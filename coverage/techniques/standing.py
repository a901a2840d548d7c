"""How a technique stands by its tests, for its page."""

from typing import Final

from catalog.models import Technique
from coverage.models import TechniqueCoverage, Test

LATEST: Final = 10
"""Tests that the page of a technique shows."""


def standing_of(technique: Technique) -> TechniqueCoverage:
    """The coverage of a technique; one that nobody ever tested is not covered. One query."""
    row = TechniqueCoverage.objects.filter(technique=technique).first()
    return row or TechniqueCoverage(technique=technique)


def latest_tests(technique: Technique) -> list[Test]:
    """The live tests of the technique itself that were written last: one query."""
    return list(Test.objects.live().without_texts().filter(technique=technique).order_by("-updated_at")[:LATEST])
