"""What an actor does, arranged as an analyst reads it: by tactic, what no rule names first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.db.models import Prefetch

from catalog.models import AttackCampaign, Software, Tactic, Technique, TechniqueTactic
from intel.models import ThreatActor, ThreatActorTechnique


@dataclass(frozen=True, slots=True)
class Use:
    """One text that tells how a technique was used; `campaign` is the one it is known from, None for the actor's own."""

    reference: ThreatActorTechnique
    campaign: AttackCampaign | None

    @property
    def campaign_id(self) -> str:
        """The ATT&CK id of the campaign, whether the catalogue has it or not."""
        return self.reference.campaign


@dataclass(frozen=True, slots=True)
class UsedTechnique:
    """A technique with all that is told of its use; `rules` listed rules name it."""

    technique: Technique
    rules: int
    uses: tuple[Use, ...]

    @property
    def tactics(self) -> list[Tactic]:
        """Its tactics, in upstream's order."""
        return [link.tactic for link in self.technique.technique_tactics.all()]


@dataclass(frozen=True, slots=True)
class TacticGroup:
    """Techniques whose first tactic is this one; None gathers those that have none."""

    tactic: Tactic | None
    techniques: tuple[UsedTechnique, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that one actor is told to do; `left_out` are uses of no technique, or of one that is not active: they count
    nowhere."""

    groups: tuple[TacticGroup, ...]
    left_out: tuple[Use, ...]
    campaigns: tuple[AttackCampaign, ...]

    @property
    def techniques(self) -> int:
        """How many active techniques the actor uses."""
        return sum(len(group.techniques) for group in self.groups)

    @property
    def named(self) -> int:
        """How many of them at least one rule names."""
        return sum(bool(used.rules) for group in self.groups for used in group.techniques)

    @property
    def gaps(self) -> tuple[UsedTechnique, ...]:
        """Those that no rule names."""
        return tuple(used for group in self.groups for used in group.techniques if not used.rules)


@dataclass(frozen=True, slots=True)
class UsedSoftware:
    """A tool or malware that an actor uses, `itself` or as some campaigns (by ATT&CK id) tell."""

    software: Software
    itself: bool
    campaigns: tuple[str, ...]


def software_of(actor: ThreatActor) -> list[UsedSoftware]:
    """The software of an actor by name, each once: one query."""
    rows = actor.software_uses.select_related("software").order_by("software__name", "software_id", "campaign")
    told = groupby(rows, key=attrgetter("software"))
    found = ((software, [use.campaign for use in uses]) for software, uses in told)
    return [UsedSoftware(software, "" in campaigns, tuple(filter(None, campaigns))) for software, campaigns in found]


def profile_of(actor: ThreatActor, rules: Mapping[str, int]) -> Profile:
    """The profile of an actor, with three queries; `rules` says by ATT&CK id how many rules name a technique."""
    uses = _uses(actor)
    return Profile(
        groups=_by_tactic(_by_technique(uses, rules)),
        left_out=tuple(use for use in uses if not _is_of_today(use)),
        campaigns=tuple({use.campaign.mitre_id: use.campaign for use in uses if use.campaign}.values()),
    )


def _uses(actor: ThreatActor) -> list[Use]:
    """Own uses before those through campaigns."""
    tactics = Prefetch("technique__technique_tactics", TechniqueTactic.objects.select_related("tactic"))
    references = actor.uses.select_related("technique").prefetch_related(tactics)
    rows = list(references.order_by("campaign", "published_id"))
    campaigns = AttackCampaign.objects.in_bulk({row.campaign for row in rows if row.campaign}, field_name="mitre_id")
    return [Use(row, campaigns.get(row.campaign)) for row in rows]


def _is_of_today(use: Use) -> bool:
    return bool(use.reference.technique and use.reference.technique.is_active)


def _by_technique(uses: Iterable[Use], rules: Mapping[str, int]) -> list[UsedTechnique]:
    """The active techniques among them, by id."""
    told: dict[str, list[Use]] = {}
    techniques: dict[str, Technique] = {}
    for use in uses:
        if (technique := use.reference.technique) and technique.is_active:
            techniques[technique.mitre_id] = technique
            told.setdefault(technique.mitre_id, []).append(use)
    return [UsedTechnique(techniques[key], rules.get(key, 0), tuple(told[key])) for key in sorted(told)]


def _by_tactic(used: Iterable[UsedTechnique]) -> tuple[TacticGroup, ...]:
    groups: dict[Tactic | None, list[UsedTechnique]] = {}
    for one in used:
        groups.setdefault(next(iter(one.tactics), None), []).append(one)
    ordered = sorted(groups, key=lambda tactic: (tactic is None, tactic.position if tactic else 0))
    return tuple(TacticGroup(tactic, tuple(sorted(groups[tactic], key=attrgetter("rules")))) for tactic in ordered)
