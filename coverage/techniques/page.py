"""What the page of one technique shows of it, whatever the tab: header, figures, family. Tabs are in tabs.py.

A request costs as many queries for a technique with one rule as for one with hundreds; a parent technique costs one more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, F, Prefetch, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat
from django.urls import reverse

from catalog.models import AttackRelease, Technique, TechniqueTactic
from coverage.figures.claim_counts import FAMILY, Techniques, family_numbers, with_claims, with_data_components
from coverage.figures.claims import CLAIM
from coverage.techniques.status import Status
from intel.models import Mention

TABS: Final = {"attack": "Attack", "detect": "Detect", "defend": "Defend", "intel": "Intel", "history": "History"}


TAKES_SUBTECHNIQUES: Final = {"rules", "templates"}
"""Claims whose lists know `?subtechniques=true`."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A claim as the strip shows it: its label, what is counted, and the list that shows the rows, narrowed by `query`."""

    claim: str
    label: str
    noun: str
    url_name: str
    query: tuple[tuple[str, str], ...] = ()


FIGURES: Final = (
    Counted("rules", "Claimed", "rule", "catalog:rule-list"),
    Counted("templates", "Testable", "template", "catalog:template-list"),
    Counted("actors", "Used by", "actor", "intel:actor-list"),
    Counted("defences", "Defences", "D3FEND technique", "catalog:defence-list"),
    Counted("controls", "Controls", "control", "compliance:control-list", (("defends", "true"),)),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the strip and the address of its rows; `family` counts sub-techniques too, None where there are none."""

    label: str
    noun: str
    number: int
    url: str
    family: int | None = None
    family_url: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab: its name in the URL, its label, and a number (None for none)."""

    name: str
    label: str
    number: int | None
    is_current: bool


def technique_of(mitre_id: str) -> Technique | None:
    """The technique with parent, release, tactics in order, and what `figures` counts; None if there is none. Two queries."""
    tactics = Prefetch("technique_tactics", TechniqueTactic.objects.select_related("tactic"))
    found = Technique.objects.filter(mitre_id=mitre_id).select_related("parent", "local__added_by", "local__changed_by")
    found = found.prefetch_related(tactics)
    return with_data_components(with_claims(with_release(with_news(found, mitre_id)), CLAIM)).first()


def with_news(techniques: Techniques, mitre_id: str) -> Techniques:
    """The techniques, each with `news`: how many articles name `mitre_id` or one of its sub-techniques."""
    named = Mention.objects.confidently("technique", mitre_id).order_by().values("kind")
    number = named.annotate(number=Count("item", distinct=True)).values("number")
    return techniques.annotate(news=Coalesce(Subquery(number), 0))


def with_release(techniques: Techniques) -> Techniques:
    """The techniques, each with the `release` that the catalogue holds ("enterprise-attack 18.1"), None without one."""
    name = AttackRelease.objects.current().annotate(text=Concat("domain", Value(" "), "version")).values("text")
    return techniques.annotate(release=Subquery(name[:1]))


def release() -> AttackRelease | None:
    """The ATT&CK release that the catalogue holds."""
    return AttackRelease.objects.current().first()


def relatives(technique: Technique) -> QuerySet[Technique]:
    """The sub-techniques of a technique, or of its parent; each with the numbers and the status that its row shows."""
    family = technique.parent_id or technique.mitre_id
    members = Technique.objects.active().filter(parent=family).order_by("mitre_id")
    return with_claims(members, FAMILY).annotate(
        status=Coalesce("coverage__status", Value(Status.NOT_COVERED.value)), proven_gap=F("coverage__proven_gap")
    )


def figures(technique: Technique, *, members: Iterable[Technique]) -> list[Figure]:
    """The strip: what stands beside the technique, each number with its list. One query, for a parent technique only."""
    below = [member.mitre_id for member in members if member.parent_id == technique.mitre_id]
    family = family_numbers([technique.mitre_id, *below]) if below else {}
    return [_figure(technique, counted, family.get(counted.claim)) for counted in FIGURES]


def _figure(technique: Technique, counted: Counted, family: int | None) -> Figure:
    wanted = {"technique": technique.mitre_id} | dict(counted.query)
    family_url = reverse(counted.url_name, query=wanted | {"subtechniques": "true"})
    return Figure(
        label=counted.label,
        noun=counted.noun,
        number=_claimed(technique, counted.claim),
        url=reverse(counted.url_name, query=wanted),
        family=family,
        family_url=family_url if family is not None and counted.claim in TAKES_SUBTECHNIQUES else "",
    )


def tabs(technique: Technique, current: str) -> list[Tab]:
    """The tabs with their numbers: templates, rules, everything that defends, and articles."""
    numbers = {
        "attack": _claimed(technique, "templates"),
        "detect": _claimed(technique, "rules"),
        "defend": sum(_claimed(technique, claim) for claim in ("defences", "mitigations", "controls")),
        "intel": technique.news,  # type: ignore[attr-defined]
    }
    return [Tab(name, label, numbers.get(name), name == current) for name, label in TABS.items()]


def _claimed(technique: Technique, claim: str) -> int:
    """A number that `with_claims` put beside the technique."""
    return int(getattr(technique, f"claimed_{claim}"))
