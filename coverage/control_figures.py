"""How far controls, families and frameworks are proven by tests of the techniques that they are mapped to.

A mapping says what a control is meant to mitigate. Nothing here says that anybody complies with anything.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from compliance.models import ComplianceControl, ComplianceControlMapping, ComplianceFramework
from coverage.claims import CONTROL_IN_FORCE
from coverage.models import Evidence, Test
from coverage.shares import Missed, Shares, TechniqueFacts

MOST_TESTS = 50


@dataclass(frozen=True, slots=True)
class FrameworkRow:
    """One framework: its controls in force, those of them that are mapped, and how their techniques stand."""

    framework: ComplianceFramework
    controls: int
    mapped: int
    conflicts: int
    shares: Shares


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """One family of a framework: the same figures."""

    name: str
    controls: int
    mapped: int
    conflicts: int
    shares: Shares


@dataclass(frozen=True, slots=True)
class ControlRow:
    """One control of a list, and how its mapped techniques stand."""

    control: ComplianceControl
    shares: Shares


@dataclass(frozen=True, slots=True)
class MissedTechnique:
    """A technique that a control is mapped to and that tests missed; `proven` says that another test of it met."""

    mitre_id: str
    name: str
    proven: bool
    missed: Missed


@dataclass(frozen=True, slots=True)
class Conflict:
    """A control that is said to mitigate techniques which tests missed, those that no test proved first."""

    control: ComplianceControl
    shares: Shares
    missed: tuple[MissedTechnique, ...]


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One mapping of a control, and how its technique stands; `missed` counts tests."""

    mapping: ComplianceControlMapping
    claimed: bool
    proven: bool
    missed: int


@dataclass(frozen=True, slots=True)
class TestRow:
    """A validated test of a mapped technique with the files that stand behind it."""

    test: Test
    evidence: tuple[Evidence, ...]


Triple = tuple[int, str, str]
"""The control's number, the group that is asked about (a family, a framework), and the technique's ATT&CK id."""


def framework_rows(facts: TechniqueFacts) -> list[FrameworkRow]:
    """The published frameworks, by name: three queries."""
    controls = _in_force("framework_id")
    triples = _triples(F("control__framework_id"), Q())
    return [
        FrameworkRow(framework, *_figures(facts, framework.slug, controls, triples))
        for framework in ComplianceFramework.objects.current()
    ]


def family_rows(framework: ComplianceFramework, facts: TechniqueFacts) -> list[FamilyRow]:
    """The families of a framework in the order of its controls: two queries."""
    controls = _in_force("category", framework=framework.slug)
    triples = _triples(F("control__category"), Q(control__framework=framework.slug))
    return [FamilyRow(name, *_figures(facts, name, controls, triples)) for name in controls]


def control_rows(controls: Iterable[ComplianceControl], facts: TechniqueFacts) -> list[ControlRow]:
    """Each control with its figures: one query however many."""
    named = _techniques(controls)
    return [ControlRow(control, facts.shares(named[control.pk])) for control in controls]


def conflicting(controls: QuerySet[ComplianceControl]) -> QuerySet[ComplianceControl]:
    """Those in force whose current mappings name a technique that tests missed, most such techniques first."""
    missed = Test.objects.missed().order_by().values("technique_id")
    named = ComplianceControlMapping.objects.filter(CONTROL_IN_FORCE, technique__in=missed)
    found = Q(mappings__in=named.order_by().values("pk"))
    return (
        controls.filter(found)
        .annotate(missed=Count("mappings__technique", filter=found, distinct=True))
        .order_by("-missed", "framework", "sort_key", "pk")
    )


def conflicts(controls: Iterable[ComplianceControl], facts: TechniqueFacts) -> list[Conflict]:
    """What conflicts in each of these controls: one query however many."""
    named = _techniques(controls)
    return [conflict_of(control, named[control.pk], facts) for control in controls]


def conflict_of(control: ComplianceControl, named: Iterable[str | None], facts: TechniqueFacts) -> Conflict:
    """What conflicts in a control that is mapped to the techniques `named`."""
    known = {str(mitre_id) for mitre_id in named if mitre_id in facts.active}
    missed = [
        MissedTechnique(mitre_id, facts.active[mitre_id], mitre_id in facts.proven, facts.missed[mitre_id])
        for mitre_id in sorted(known & facts.missed.keys())
    ]
    return Conflict(control, facts.shares(known), tuple(sorted(missed, key=lambda one: one.proven)))


def mapping_rows(mappings: Iterable[ComplianceControlMapping], facts: TechniqueFacts) -> list[MappingRow]:
    """The mappings of a control with how each technique stands, what was missed first, then what is not proven."""
    rows = [_mapping_row(mapping, facts) for mapping in mappings]
    return sorted(rows, key=lambda row: (not row.missed, row.proven))


def proof_of(techniques: Collection[str]) -> list[TestRow]:
    """The validated tests of these techniques with their evidence, the latest decision first: two queries."""
    tests = Test.objects.live().without_texts().filter(technique__in=list(techniques), state=Test.State.VALIDATED)
    found = tests.select_related("technique").prefetch_related("evidence").order_by("-decided_at", "-pk")
    return [TestRow(test, tuple(test.evidence.all())) for test in found[:MOST_TESTS]]


def _mapping_row(mapping: ComplianceControlMapping, facts: TechniqueFacts) -> MappingRow:
    mitre_id = str(mapping.technique_id)
    missed = facts.missed.get(mitre_id)
    return MappingRow(mapping, mitre_id in facts.claimed, mitre_id in facts.proven, missed.tests if missed else 0)


def _in_force(column: str, **which: str) -> dict[str, int]:
    """How many controls in force there are by the values of a column, in the order of their numbers."""
    rows = ComplianceControl.objects.in_force().filter(**which).order_by("framework", "sort_key")
    return Counter(rows.values_list(column, flat=True))


def _triples(group: F, which: Q) -> list[Triple]:
    rows = ComplianceControlMapping.objects.filter(CONTROL_IN_FORCE, which).exclude(technique=None).order_by()
    found = rows.annotate(group=group).values_list("control_id", "group", "technique_id")
    return [(control, of, str(technique)) for control, of, technique in found]


def _figures(
    facts: TechniqueFacts, group: str, controls: dict[str, int], triples: Iterable[Triple]
) -> tuple[int, int, int, Shares]:
    """Controls in force, those that are mapped, those that conflict, and how the techniques of a group stand."""
    mine = [(control, technique) for control, of, technique in triples if of == group and technique in facts.active]
    mapped = {control for control, _ in mine}
    conflicting = {control for control, technique in mine if technique in facts.missed}
    shares = facts.shares(technique for _, technique in mine)
    return controls.get(group, 0), len(mapped), len(conflicting), shares


def _techniques(controls: Iterable[ComplianceControl]) -> defaultdict[int, set[str]]:
    """The techniques that the current mappings of each control name. One query."""
    named: defaultdict[int, set[str]] = defaultdict(set)
    rows = ComplianceControlMapping.objects.filter(is_current=True, control__in=[one.pk for one in controls])
    for control, technique in rows.exclude(technique=None).order_by().values_list("control_id", "technique_id"):
        named[control].add(str(technique))
    return named
