"""Which run changed an imported row last. `imports` knows, and says so when Aegis starts; pages and API below it ask here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.models import Sourced


@dataclass(frozen=True, slots=True)
class LastRun:
    """A run: its number, and the address of its page."""

    id: int
    url: str


def _nobody(_row: Sourced) -> LastRun | None:
    return None


_known: list[Callable[[Sourced], LastRun | None]] = [_nobody]


def introduce(knows: Callable[[Sourced], LastRun | None]) -> None:
    """Tell who knows which run changed a row last."""
    _known[0] = knows


def last_run(row: Sourced) -> LastRun | None:
    """The run that was applied and changed the row last; None for a local row, and where no run on record did. One query."""
    return None if row.is_local else _known[0](row)
