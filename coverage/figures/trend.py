"""How coverage moved: its snapshots, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Subquery
from django.db.models.functions import Coalesce

from coverage.figures.standing import FIGURES, percent
from coverage.models import CoverageSnapshot


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One day. `new_release` says that the point before was counted in another ATT&CK release: a jump may come from that."""

    row: CoverageSnapshot
    new_release: bool

    @property
    def figures(self) -> dict[str, int | float]:
        """The numbers of techniques by name, and their shares as `<name>_percent`."""
        counts = {name: getattr(self.row, name) for name in FIGURES}
        shares = {f"{name}_percent": percent(counts[name], self.row.techniques) for name in FIGURES[1:]}
        return counts | shares


def trend(tactic: str = "", since: date | None = None, until: date | None = None) -> list[TrendPoint]:
    """The days of a tactic (all techniques without one) in order, both ends included. One query."""
    rows = CoverageSnapshot.objects.filter(tactic=tactic).order_by("day")
    found = rows.filter(day__lte=until) if until else rows
    if since:
        # The last day before the period comes along, to tell whether the release changed between them.
        before = rows.filter(day__lt=since).order_by("-day").values("day")[:1]
        found = found.filter(day__gte=Coalesce(Subquery(before), since))
    return [point for point in _points(found) if since is None or point.row.day >= since]


def _points(rows: Iterable[CoverageSnapshot]) -> Iterator[TrendPoint]:
    before: CoverageSnapshot | None = None
    for row in rows:
        yield TrendPoint(row, before is not None and before.release != row.release)
        before = row
