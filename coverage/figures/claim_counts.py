"""Claims counted inside other queries: as columns beside techniques, and for one published id at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from django.db.models import Count, F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery, Value

from catalog.models import AnalyticLogSource, Technique
from coverage.figures.claims import CLAIM, CLAIMS, Claim

Techniques: TypeAlias = "QuerySet[Technique, Technique]"

FAMILY = ("rules", "templates", "actors")
"""Claims that a parent technique also shows together with its sub-techniques."""


def distinct_number(subject: str) -> Func:
    """How many different subjects a subquery finds, without a group: it has one row even if it finds none."""
    return Func(F(subject), template="COUNT(DISTINCT %(expressions)s)", output_field=IntegerField())


def number_of(claim: Claim, which: Q) -> Subquery:
    """How many subjects of a claim the references in `which` name."""
    return Subquery(claim.references().filter(which).annotate(number=distinct_number(claim.subject)).values("number"))


def with_claims(techniques: Techniques, names: Iterable[str]) -> Techniques:
    """The techniques, each with the numbers `claimed_rules` (`_templates`, ...) of what it has by itself."""
    itself = Q(technique=OuterRef("mitre_id"))
    return techniques.annotate(**{f"claimed_{name}": number_of(CLAIM[name], itself) for name in names})


def with_data_components(techniques: Techniques) -> Techniques:
    """The techniques, each with `data_components`: how many of them ATT&CK's analytics for the technique read."""
    strategies = Q(analytic__strategy__references__technique=OuterRef("mitre_id"), analytic__withdrawn_at=None)
    read = AnalyticLogSource.objects.filter(strategies, data_component__withdrawn_at=None).order_by()
    number = read.annotate(number=distinct_number("data_component")).values("number")
    return techniques.annotate(data_components=Subquery(number))


def named_by_claims(published_id: str) -> dict[str, int]:
    """How many rules (templates, ...) name an id as their upstream published it, whatever it resolved to. One query."""
    return _numbers(CLAIMS, Q(published_id=published_id))


def family_numbers(members: Iterable[str]) -> dict[str, int]:
    """How many rules, templates and actors some techniques have together: one that names several counts once. One query.

    The ids are given one by one, because SQLite then goes by them, and not by the rules that are current.
    """
    return _numbers([CLAIM[name] for name in FAMILY], Q(technique__in=list(members)))


def several_claims(names: Iterable[str]) -> dict[str, dict[str, int]]:
    """`claims` of several names, by name and ATT&CK id. One query."""
    counted: dict[str, dict[str, int]] = {name: {} for name in names}
    parts = [
        CLAIM[name]
        .references()
        .exclude(technique=None)
        .annotate(claim=Value(name))
        .values("claim", "technique_id")
        .annotate(number=Count(CLAIM[name].subject, distinct=True))
        .values_list("claim", "technique_id", "number")
        for name in counted
    ]
    for name, mitre_id, number in parts[0].union(*parts[1:], all=True):
        counted[str(name)][str(mitre_id)] = int(number)
    return counted


def _numbers(claims: Iterable[Claim], which: Q) -> dict[str, int]:
    first, *others = (
        claim.references()
        .filter(which)
        .annotate(claim=Value(claim.name), number=distinct_number(claim.subject))
        .values_list("claim", "number")
        for claim in claims
    )
    return {str(name): int(number) for name, number in first.union(*others, all=True)}
