"""The tabs of a technique's page: at most four queries each, and the pure grouping of what they find."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from django.db.models import Prefetch, Q

from aegis.lib.upstreams import upstream
from aegis.lib.words import SEVERITIES
from catalog.countering import sentence
from catalog.models import (
    Analytic,
    AnalyticLogSource,
    AttackCampaign,
    AttackCampaignTechnique,
    DefensiveTechniqueMapping,
    DetectionRule,
    DetectionRuleTechnique,
    DetectionStrategyTechnique,
    Mitigation,
    MitigationTechnique,
    Resolution,
    Software,
    Technique,
    TestTemplate,
)
from compliance.models import ComplianceControlMapping, ComplianceFramework
from coverage.figures.claims import ACTIVE_ACTOR, CLAIM, CONTROL_IN_FORCE, LIVE_RULE, active
from coverage.news.inbox import rows, with_mentions
from coverage.plain_text import first_sentence, plain_text
from imports.difference import Piece, difference
from imports.models import ImportChange
from intel.models import IntelItem, ThreatActor, ThreatActorTechnique

MOST_RULES: Final = 50
MOST_TEMPLATES: Final = 50
MOST_CHANGES: Final = 50
MOST_SOFTWARE: Final = 60
MOST_NEWS: Final = 25

REFERENCE: Final = ("published_id", "resolution", "technique")
"""What every row that stands for a reference needs."""


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody's words, without markup; `start` is a first line of them where they are long, else empty."""

    text: str
    start: str = ""
    about: str = ""

    @classmethod
    def by(cls, text: str, about: str = "") -> Said:
        """The words of an upstream's Markdown; `about` says in what connection."""
        plain = plain_text(text)
        start = first_sentence(plain)
        return cls(plain, start if start != plain else "", about)


@dataclass(frozen=True, slots=True)
class Procedure:
    """One template as a row: who runs it, with which rights, and whether it cleans up after itself."""

    template: TestTemplate
    executors: tuple[str, ...]
    elevated: bool
    cleans_up: bool


@dataclass(frozen=True, slots=True)
class ProcedureGroup:
    """The templates of one source; `number` counts them all, also those that are not shown."""

    source: str
    number: int
    procedures: tuple[Procedure, ...]


@dataclass(frozen=True, slots=True)
class ActorUse:
    """One actor and how it is said to use the technique."""

    actor: ThreatActor
    said: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class CampaignUse:
    """One intrusion campaign in which the technique was used."""

    reference: AttackCampaignTechnique
    said: Said


@dataclass(frozen=True, slots=True)
class SoftwareGroup:
    """The malware, or the tools, that use the technique: the first as rows, the others by name."""

    kind: str
    first: list[Software]
    others: list[str]

    @property
    def number(self) -> int:
        """All of them."""
        return len(self.first) + len(self.others)


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule, and the references by which it names the technique other than exactly."""

    rule: DetectionRule
    otherwise: tuple[DetectionRuleTechnique, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a technique: how many by source (slug, number), and the most severe."""

    number: int
    by_source: tuple[tuple[str, int], ...]
    shown: tuple[RuleRow, ...]


@dataclass(frozen=True, slots=True)
class Defence:
    """A mapping with its paths as sentences."""

    mapping: DefensiveTechniqueMapping
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DefenceGroup:
    """The defences of one D3FEND tactic; inherited ones are mapped to the parent technique."""

    tactic: str
    defences: tuple[Defence, ...]


@dataclass(frozen=True, slots=True)
class MitigationUse:
    """One mitigation and what it does here."""

    mitigation: Mitigation
    reference: MitigationTechnique
    said: Said


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """The current mappings of one framework."""

    framework: ComplianceFramework
    attack_version: str
    mappings: tuple[ComplianceControlMapping, ...]

    @property
    def number(self) -> str:
        """How many controls name the technique, in the framework's own words."""
        return self.framework.words.counted(len({mapping.control_id for mapping in self.mappings}))


@dataclass(frozen=True, slots=True)
class Change:
    """What one run did to the technique: each field with the pieces of its difference."""

    row: ImportChange
    fields: tuple[tuple[str, list[Piece]], ...]


def attack(technique: Technique) -> dict[str, Any]:
    """How the technique is carried out and by whom: templates, actors, campaigns, software. Four queries."""
    templates = TestTemplate.objects.current().filter(technique=technique)
    rows = templates.only(*REFERENCE, "source", "name", "platforms", "executors", "severity")
    uses = ThreatActorTechnique.objects.filter(ACTIVE_ACTOR, technique=technique).select_related("actor")
    said = uses.only("text", "campaign", "actor__mitre_id", "actor__name")
    campaigns = AttackCampaignTechnique.objects.filter(active("campaign"), technique=technique)
    named = list(campaigns.select_related("campaign").order_by("-campaign__last_seen", "campaign__mitre_id"))
    software = Software.objects.active().filter(references__technique=technique).order_by("name").distinct()
    paragraphs = technique.description.split("\n\n", 1)
    return {
        "description_start": paragraphs[0],
        "description_rest": "".join(paragraphs[1:]),
        "procedures": procedure_groups(rows.order_by("source", "name", "pk")),
        "actors": actor_uses(said.order_by("actor__name", "pk"), [use.campaign for use in named]),
        "campaigns": [CampaignUse(use, Said.by(use.text)) for use in named],
        "software": software_by_kind(software.only("kind", "name", "mitre_id", "url")),
    }


def detect(technique: Technique) -> dict[str, Any]:
    """What should see the technique: rules, and ATT&CK's own strategies with analytics and log sources. Four queries."""
    references = DetectionRuleTechnique.objects.filter(LIVE_RULE, technique=technique).select_related("rule")
    columns = ("name", "source", "severity", "status", "modified", "building_block")
    rows = references.only(*REFERENCE, *(f"rule__{column}" for column in columns))
    log_sources = AnalyticLogSource.objects.select_related("data_component").order_by("name", "channel")
    analytics = Analytic.objects.active().prefetch_related(Prefetch("log_sources", log_sources))
    strategies = DetectionStrategyTechnique.objects.filter(active("strategy"), technique=technique)
    read = strategies.select_related("strategy").prefetch_related(Prefetch("strategy__analytics", analytics))
    return {"rules": rules(rows), "strategies": list(read.order_by("strategy__mitre_id")), "most_rules": MOST_RULES}


def defend(technique: Technique) -> dict[str, Any]:
    """What stands against the technique: D3FEND (also of the parent), mitigations, controls. Three queries."""
    itself, inherited = Q(technique=technique), Q(technique=technique.parent_id, technique__isnull=False)
    defences = DefensiveTechniqueMapping.objects.filter(CLAIM["defences"].counts, itself | inherited)
    mitigations = MitigationTechnique.objects.filter(CLAIM["mitigations"].counts, itself).select_related("mitigation")
    controls = ComplianceControlMapping.objects.filter(CONTROL_IN_FORCE, itself)
    by_framework = controls.select_related("control__framework").order_by(
        "control__framework_id", "control__sort_key", "pk"
    )
    return {
        "defences": defence_groups(defences.select_related("defensive_technique"), technique.mitre_id),
        "mitigations": [
            MitigationUse(use.mitigation, use, Said.by(use.text)) for use in mitigations.order_by("mitigation__name")
        ],
        "controls": control_groups(by_framework),
    }


def history(technique: Technique) -> dict[str, Any]:
    """What imports did to the technique, newest first, and where it comes from. One query."""
    changes = ImportChange.objects.filter(model=Technique._meta.label_lower, key=technique.mitre_id, run__dry_run=False)
    rows = list(changes.select_related("run").order_by("-pk")[: MOST_CHANGES + 1])
    return {
        "changes": [Change(row, field_changes(row.changed)) for row in rows[:MOST_CHANGES]],
        "older_changes": len(rows) > MOST_CHANGES,
        "upstream": upstream(technique.source),
    }


def intel(technique: Technique) -> dict[str, Any]:
    """The news that name the technique or one of its sub-techniques, the newest first. Five queries."""
    found = with_mentions(IntelItem.objects.naming("technique", technique.mitre_id)).order_by("-at", "-pk")
    return {"news": rows(found[:MOST_NEWS], technique.mitre_id)}


TAB: Final = {"attack": attack, "detect": detect, "defend": defend, "intel": intel, "history": history}


def procedure_groups(templates: Iterable[TestTemplate]) -> list[ProcedureGroup]:
    """Templates, ordered by source, as a group for each source."""
    groups = []
    for source, found in groupby(templates, key=lambda template: template.source):
        rows = list(found)
        shown = tuple(procedure(template) for template in rows[:MOST_TEMPLATES])
        groups.append(ProcedureGroup(source, len(rows), shown))
    return groups


def procedure(template: TestTemplate) -> Procedure:
    """What a row says of a template's executors."""
    executors = template.executors
    return Procedure(
        template,
        tuple(dict.fromkeys(executor["executor"] for executor in executors)),
        elevated=any(executor.get("elevation_required") for executor in executors),
        cleans_up=any(executor.get("cleanup") for executor in executors),
    )


def actor_uses(references: Iterable[ThreatActorTechnique], campaigns: Iterable[AttackCampaign]) -> list[ActorUse]:
    """References, ordered by actor, with what is said of each; a use through a campaign names it."""
    names = {campaign.mitre_id: campaign.name for campaign in campaigns}
    uses = []
    for actor, found in groupby(references, key=lambda reference: reference.actor):
        said = tuple(Said.by(use.text, names.get(use.campaign, use.campaign)) for use in found)
        uses.append(ActorUse(actor, said))
    return uses


def software_by_kind(software: Iterable[Software]) -> list[SoftwareGroup]:
    """Malware and tools, the larger group first."""
    kinds: dict[str, list[Software]] = defaultdict(list)
    for row in software:
        kinds[row.get_kind_display()].append(row)
    groups = (
        SoftwareGroup(kind, rows[:MOST_SOFTWARE], [row.name for row in rows[MOST_SOFTWARE:]])
        for kind, rows in kinds.items()
    )
    return sorted(groups, key=lambda group: -group.number)


def rules(references: Iterable[DetectionRuleTechnique]) -> Rules:
    """Each rule once, the most severe first, however many of its references mean the technique."""
    named: dict[int, list[DetectionRuleTechnique]] = defaultdict(list)
    for reference in references:
        named[reference.rule_id].append(reference)
    rows = [RuleRow(found[0].rule, otherwise(found)) for found in named.values()]
    rows.sort(key=lambda row: (-severity_rank(row.rule.severity), row.rule.name.lower(), row.rule.pk))
    sources = Counter(row.rule.source for row in rows)
    return Rules(len(rows), tuple(sources.most_common()), tuple(rows[:MOST_RULES]))


def severity_rank(severity: str) -> int:
    """The place of a severity, from the least; -1 where upstream gives none."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


def otherwise(references: Sequence[DetectionRuleTechnique]) -> tuple[DetectionRuleTechnique, ...]:
    """The references that name another id, unless one of them names the technique itself."""
    exact = any(reference.resolution == Resolution.EXACT for reference in references)
    return () if exact else tuple(references)


def defence_groups(mappings: Iterable[DefensiveTechniqueMapping], mitre_id: str) -> list[DefenceGroup]:
    """Mappings by D3FEND tactic, in D3FEND's order; a defence that counters the technique itself is not also inherited."""
    best: dict[int, DefensiveTechniqueMapping] = {}
    for mapping in mappings:
        if mapping.defensive_technique_id not in best or mapping.technique_id == mitre_id:
            best[mapping.defensive_technique_id] = mapping
    ordered = sorted(
        best.values(),
        key=lambda one: (
            one.defensive_technique.tactic_position,
            one.defensive_technique.tactic,
            one.defensive_technique.name,
        ),
    )
    return [
        DefenceGroup(tactic or "No tactic", tuple(Defence(mapping, reasons(mapping)) for mapping in found))
        for tactic, found in groupby(ordered, key=lambda one: one.defensive_technique.tactic)
    ]


def reasons(mapping: DefensiveTechniqueMapping) -> tuple[str, ...]:
    """The artifact paths of a mapping as sentences, each once."""
    return tuple(dict.fromkeys(sentence(path, mapping.published_id) for path in mapping.paths))


def control_groups(mappings: Iterable[ComplianceControlMapping]) -> list[ControlGroup]:
    """Mappings, ordered by framework, as a group for each framework."""
    groups: list[ControlGroup] = []
    for framework, found in groupby(mappings, key=lambda mapping: mapping.control.framework):
        rows = tuple(found)
        groups.append(ControlGroup(framework, rows[0].attack_version, rows))
    return groups


def field_changes(changed: dict[str, Sequence[Any]]) -> tuple[tuple[str, list[Piece]], ...]:
    """The changed fields of a row, by name."""
    return tuple(
        (field.removesuffix("_id").replace("_", " "), difference(before, after))
        for field, (before, after) in sorted(changed.items())
    )
