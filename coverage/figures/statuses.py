"""How many techniques have which coverage status, and how many are proven: counts, and shares in percent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from aegis.lib.rounding import half_up
from catalog.models import Technique
from coverage.models import TechniqueCoverage, Test
from coverage.techniques.status import Status

Said = Mapping[str, tuple[Status, bool]]
"""ATT&CK id -> status, and whether it is proven. A technique that is missing is not covered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFigures:
    """Techniques by status, the four of which add up to `techniques`; `proven` ones have a validated test that met what it
    expected, and have a status beside.
    """

    techniques: int
    validated: int
    partial: int
    in_progress: int
    not_covered: int
    proven: int

    def with_percents(self) -> dict[str, float]:
        """The counts by name, and their shares as `<name>_percent`, with one decimal."""
        counts = asdict(self)
        shares = {
            f"{name}_percent": half_up(100 * count / self.techniques, 1) if self.techniques else 0.0
            for name, count in counts.items()
            if name != "techniques"
        }
        return counts | shares

    def lines(self) -> list[str]:
        """The figures as lines of text."""
        if not Test.objects.exists():
            return ["  proven         0 techniques: no test has been recorded yet"]
        share = self.with_percents()["proven_percent"]
        return [
            f"  proven    {self.proven:>6,} techniques have a validated test that met what it expected ({share} %)",
            f"  status    {self.validated:>6,} validated, {self.partial:,} partial",
            f"            {self.in_progress:>6,} in progress, {self.not_covered:,} not covered",
        ]


def status_figures() -> StatusFigures:
    """The figures of all active techniques: two queries."""
    return figures_of(set(Technique.objects.active().values_list("mitre_id", flat=True)), said())


def figures_by_tactic() -> dict[str, StatusFigures]:
    """The figures of each tactic that has active techniques, by its shortname: two queries.

    A technique of several tactics counts in each.
    """
    members: dict[str, set[str]] = defaultdict(set)
    places = Technique.objects.active().order_by().values_list("technique_tactics__tactic", "mitre_id")
    for shortname, mitre_id in places:
        members[str(shortname)].add(mitre_id)
    standing = said()
    return {shortname: figures_of(techniques, standing) for shortname, techniques in members.items()}


def said() -> Said:
    """What our tests say of each technique that has a row. One query."""
    rows = TechniqueCoverage.objects.order_by().values_list("technique_id", "status", "proven")
    return {str(mitre_id): (Status(status), proven) for mitre_id, status, proven in rows}


def figures_of(techniques: Collection[str], standing: Said) -> StatusFigures:
    """The figures of these techniques."""
    rows = [standing.get(mitre_id, (Status.NOT_COVERED, False)) for mitre_id in techniques]
    counts = Counter(status for status, _ in rows)
    return StatusFigures(
        techniques=len(rows),
        proven=sum(proven for _, proven in rows),
        **{status.value: counts[status] for status in Status},
    )
