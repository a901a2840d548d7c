"""What could be done about each technique, counted: rules, templates, actors that use it, defences, controls.

A claim says that something exists, never that it works. A parent technique is counted twice over: by itself, and as a family
with its sub-techniques, where a rule that names both counts once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from catalog.models import (
    DefensiveTechniqueMapping,
    DetectionRuleTechnique,
    MitigationTechnique,
    TechniqueReference,
    TestTemplate,
)
from compliance.models import DEFENDS, ComplianceControlMapping
from intel.models import ThreatActorTechnique


def active(owner: str) -> Q:
    """The condition that the ATT&CK object which a reference belongs to is active; `owner` is the way to it."""
    return Q(**{f"{owner}__withdrawn_at": None, f"{owner}__revoked": False, f"{owner}__deprecated": False})


LIVE_RULE = Q(rule__withdrawn_at=None, rule__mapped=True) & ~Q(rule__status="deprecated")
ACTIVE_ACTOR = active("actor")
CONTROL_IN_FORCE = Q(
    control__withdrawn_at=None, control__withdrawn=False, control__framework__switched_on=True, is_current=True
)
"""Current mappings of controls in force, whatever they say: vulnerabilities are among them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One kind of thing that can stand beside a technique: the references, which of them count, and what is counted."""

    name: str
    model: type[TechniqueReference]
    counts: Q
    subject: str

    def references(self) -> QuerySet[TechniqueReference]:
        """The references that count."""
        return self.model._default_manager.filter(self.counts).order_by()


CLAIMS = (
    Claim("rules", DetectionRuleTechnique, LIVE_RULE, "rule"),
    Claim("templates", TestTemplate, Q(withdrawn_at=None), "pk"),
    Claim("actors", ThreatActorTechnique, ACTIVE_ACTOR, "actor"),
    Claim("defences", DefensiveTechniqueMapping, Q(defensive_technique__withdrawn_at=None), "defensive_technique"),
    Claim(
        "mitigations", MitigationTechnique, Q(mitigation__withdrawn_at=None, mitigation__deprecated=False), "mitigation"
    ),
    Claim("controls", ComplianceControlMapping, CONTROL_IN_FORCE & DEFENDS, "control"),
)
CLAIM = {claim.name: claim for claim in CLAIMS}


def claims(name: str, techniques: Iterable[str] | None = None) -> dict[str, int]:
    """How many rules (templates, ...) each technique has by itself, by ATT&CK id; only those of `techniques` if given."""
    claim = CLAIM[name]
    rows = claim.references().exclude(technique=None)
    if techniques is not None:
        rows = rows.filter(technique__in=list(techniques))
    number = Count("*") if claim.subject == "pk" else Count(claim.subject, distinct=True)
    return dict(rows.values_list("technique_id").annotate(number=number))
