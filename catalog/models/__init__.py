"""What the world publishes about attack and defence."""

from catalog.models.attack import (
    AttackCampaign,
    AttackCampaignTechnique,
    AttackRelease,
    Mitigation,
    MitigationTechnique,
    Software,
    SoftwareTechnique,
    Tactic,
    Technique,
    TechniqueCrosswalk,
    TechniqueTactic,
)
from catalog.models.attack_detection import (
    Analytic,
    AnalyticLogSource,
    DataComponent,
    DetectionStrategy,
    DetectionStrategyTechnique,
)
from catalog.models.base import LOCAL, Resolution, Sourced, TechniqueReference
from catalog.models.defense import DefensiveTechnique, DefensiveTechniqueMapping
from catalog.models.detection import DetectionRule, DetectionRuleTechnique, RuleSimulation
from catalog.models.emulation import SEVERITY_RANK, Severity, TemplateRuleLink, TestTemplate
from catalog.models.local import LocalTechnique

__all__ = [
    "LOCAL",
    "SEVERITY_RANK",
    "Analytic",
    "AnalyticLogSource",
    "AttackCampaign",
    "AttackCampaignTechnique",
    "AttackRelease",
    "DataComponent",
    "DefensiveTechnique",
    "DefensiveTechniqueMapping",
    "DetectionRule",
    "DetectionRuleTechnique",
    "DetectionStrategy",
    "DetectionStrategyTechnique",
    "LocalTechnique",
    "Mitigation",
    "MitigationTechnique",
    "Resolution",
    "RuleSimulation",
    "Severity",
    "Software",
    "SoftwareTechnique",
    "Sourced",
    "Tactic",
    "Technique",
    "TechniqueCrosswalk",
    "TechniqueReference",
    "TechniqueTactic",
    "TemplateRuleLink",
    "TestTemplate",
]
