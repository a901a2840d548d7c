"""The list of techniques: its columns, its order, and what else a search finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, Count, F, IntegerField, Prefetch, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse

from aegis.lib.exports import Table
from catalog.models import DetectionRule, TechniqueTactic, TestTemplate
from coverage.figures.claim_counts import FAMILY, Techniques, with_claims
from coverage.techniques.status import Status
from intel.models import ThreatActor

ORDER: Final = {
    "mitre_id": "mitre_id",
    "name": "name",
    "rules": "claimed_rules",
    "templates": "claimed_templates",
    "actors": "claimed_actors",
}


EXPORT: Final = Table(
    "techniques",
    {
        "Id": "mitre_id",
        "Technique": "name",
        "Parent": "parent_id",
        "Tactics": lambda technique: [place.tactic.name for place in technique.technique_tactics.all()],
        "Platforms": "platforms",
        "Source": "source",
        "Status": "status",
        "Proven gap": "proven_gap",
        "Rules": "claimed_rules",
        "Templates": "claimed_templates",
        "Actors": "claimed_actors",
    },
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What a search finds in another list."""

    number: int
    noun: str
    url: str


def listed(techniques: Techniques) -> Techniques:
    """The techniques with their parent, tactics in order, status, and numbers of rules, templates and actors."""
    tactics = Prefetch("technique_tactics", TechniqueTactic.objects.select_related("tactic"))
    covered = techniques.annotate(
        status=Coalesce("coverage__status", Value(Status.NOT_COVERED.value)), proven_gap=F("coverage__proven_gap")
    )
    return with_claims(covered, FAMILY).defer("description").select_related("parent").prefetch_related(tactics)


def exact_first(techniques: Techniques, search: str) -> Techniques:
    """The technique whose id was searched for comes first, then those below it, then the others."""
    wanted = search.strip().upper()
    rank = Case(
        When(mitre_id=wanted, then=Value(0)),
        When(Q(parent=wanted) | Q(name__iexact=search.strip()), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return techniques.order_by(rank, "mitre_id")


def elsewhere(search: str) -> list[Elsewhere]:
    """The actors, rules and templates that the same words find; none without words. One query."""
    if not search.strip():
        return []
    found: dict[str, tuple[str, str, QuerySet[Any, Any]]] = {
        "actors": ("actor", "intel:actor-list", ThreatActor.objects.active().search(search)),
        "rules": ("rule", "catalog:rule-list", DetectionRule.objects.listed().search(search)),
        "templates": ("template", "catalog:template-list", TestTemplate.objects.current().search(search)),
    }
    numbers = _numbers({kind: rows for kind, (_, _, rows) in found.items()})
    return [
        Elsewhere(numbers[kind], noun, reverse(url_name, query={"search": search}))
        for kind, (noun, url_name, _) in found.items()
        if kind in numbers
    ]


def _numbers(querysets: dict[str, QuerySet[Any, Any]]) -> dict[str, int]:
    first, *others = (
        rows.order_by()
        .annotate(kind=Value(kind))
        .values("kind")
        .annotate(number=Count("pk"))
        .values_list("kind", "number")
        for kind, rows in querysets.items()
    )
    return {str(kind): int(number) for kind, number in first.union(*others, all=True) if number}
