"""What the catalogue holds and how much of ATT&CK it claims, in figures: the home page and the demo print the same."""

from __future__ import annotations

from dataclasses import dataclass

from aegis.lib.rounding import half_up
from catalog.models import AttackRelease, DefensiveTechnique, DetectionRule, Technique, TestTemplate
from compliance.models import ComplianceControl
from coverage.figures.claims import claims
from intel.models import ThreatActor


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageSummary:
    """Counts of what is current. `claimed` are active techniques that a live rule names, `testable` those with a template.

    What tests have shown of them is in `coverage.status_figures`.
    """

    release: str
    techniques: int
    claimed: int
    testable: int
    templates: int
    rules: int
    actors: int
    defences: int
    controls: int

    @property
    def claimed_percent(self) -> float:
        """The share of active techniques that a rule names, in percent with one decimal."""
        return half_up(100 * self.claimed / self.techniques, 1) if self.techniques else 0.0

    def lines(self) -> list[str]:
        """The summary as lines of text."""
        return [
            f"{self.release or 'No ATT&CK release imported'}: {self.techniques:,} active techniques",
            f"  claimed   {self.claimed:>6,} techniques have a detection rule ({self.claimed_percent} %)",
            f"  testable  {self.testable:>6,} techniques have a test template",
            f"  catalogue {self.rules:>6,} rules, {self.templates:,} templates",
            f"            {self.actors:>6,} actors, {self.defences:,} defences, {self.controls:,} controls",
        ]


def coverage_summary() -> CoverageSummary:
    """The summary of the catalogue as it is now: ten queries."""
    active = set(Technique.objects.active().values_list("mitre_id", flat=True))
    release = AttackRelease.objects.current().first()
    return CoverageSummary(
        release=str(release or ""),
        techniques=len(active),
        claimed=len(active & claims("rules").keys()),
        testable=len(active & claims("templates").keys()),
        templates=TestTemplate.objects.current().count(),
        rules=DetectionRule.objects.listed().count(),
        actors=ThreatActor.objects.active().count(),
        defences=DefensiveTechnique.objects.current().count(),
        controls=ComplianceControl.objects.in_force().count(),
    )
