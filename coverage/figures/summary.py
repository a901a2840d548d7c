"""What the catalogue holds, what of ATT&CK it claims and what is proven, in figures: home page, API and demo tell the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet, Value

from catalog.models import DefensiveTechnique, DetectionRule, TestTemplate
from compliance.models import ComplianceControl
from coverage.figures.standing import GroupFigures, Standing
from coverage.models import Test
from intel.models import ThreatActor


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSummary:
    """The figures of all active techniques, and how many rules, templates, actors, defences and controls count, by name."""

    release: str
    whole: GroupFigures
    holdings: Mapping[str, int]

    def lines(self) -> list[str]:
        """The summary as lines of text."""
        whole, held = self.whole, self.holdings
        claimed = f"{whole.claimed:>6,} techniques have a detection rule ({whole.claimed_percent} %)"
        return [
            f"{self.release or 'No ATT&CK release imported'}: {whole.techniques:,} active techniques",
            f"  claimed   {claimed}",
            f"  testable  {whole.testable:>6,} techniques have a test template",
            f"  catalogue {held['rules']:>6,} rules, {held['templates']:,} templates",
            f"            {held['actors']:>6,} actors, {held['defences']:,} defences, {held['controls']:,} controls",
        ]

    def lines_of_tests(self) -> list[str]:
        """What tests have shown, as lines of text. One query."""
        if not Test.objects.exists():
            return ["  proven         0 techniques: no test has been recorded yet"]
        whole = self.whole
        proven = f"{whole.proven:>6,} techniques have a validated test that met what it expected"
        return [
            f"  proven    {proven} ({whole.proven_percent} %)",
            f"  status    {whole.validated:>6,} validated, {whole.partial:,} partial",
            f"            {whole.in_progress:>6,} in progress, {whole.not_covered:,} not covered",
        ]


def coverage_summary(standing: Standing | None = None) -> CoverageSummary:
    """The summary of the catalogue as it is now: one query, and two for its standing."""
    standing = standing or Standing.now()
    return CoverageSummary(release=standing.release, whole=standing.whole, holdings=holdings())


def holdings() -> dict[str, int]:
    """How many rules, templates, actors, defences and controls count. One query."""
    counted: dict[str, QuerySet[Any, Any]] = {
        "templates": TestTemplate.objects.current(),
        "rules": DetectionRule.objects.listed(),
        "actors": ThreatActor.objects.active(),
        "defences": DefensiveTechnique.objects.current(),
        "controls": ComplianceControl.objects.shown().in_force(),
    }
    parts = [
        rows.order_by()
        .annotate(kind=Value(kind))
        .values("kind")
        .annotate(number=Count("pk"))
        .values_list("kind", "number")
        for kind, rows in counted.items()
    ]
    return dict.fromkeys(counted, 0) | dict(parts[0].union(*parts[1:], all=True))
