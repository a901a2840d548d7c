"""How far controls, families and frameworks are proven by tests of the techniques that they are mapped to.

A mapping says what a control is meant to mitigate, or only what a vulnerability or an action is made of. Nothing here says that
anybody complies with anything. A conflict takes a mapping that claims to mitigate or to detect.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, QuerySet

from catalog.models import Technique
from compliance.models import DEFENDS, ComplianceControl, ComplianceControlMapping, ComplianceFramework
from coverage.figures.claims import CONTROL_IN_FORCE
from coverage.figures.shares import Missed, Shares, TechniqueFacts
from coverage.models import Evidence, Test

MOST_TESTS = 50
NAMING = ("control", "technique", "is_current", "mapping_type", "score_category")
"""What `named_by` reads of a mapping."""


@dataclass(frozen=True, slots=True)
class FrameworkRow:
    """One framework: its controls in force, those of them that are mapped, and how their techniques stand."""

    framework: ComplianceFramework
    controls: int
    mapped: int
    conflicts: int
    shares: Shares


@dataclass(frozen=True, slots=True)
class OffRow:
    """A framework that is switched off: what would count."""

    framework: ComplianceFramework
    controls: int


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
    """A control that is said to mitigate or detect techniques which tests missed, those that no test proved first."""

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


class Named(NamedTuple):
    """A control's number, the ATT&CK id of a technique that it is mapped to, and whether it claims to stand against it."""

    control: int
    technique: str
    defends: bool


def framework_rows(facts: TechniqueFacts) -> list[FrameworkRow]:
    """The frameworks that are switched on, by name: three queries."""
    controls = _in_force("framework_id")
    named = _named(F("control__framework_id"), Q())
    return [
        FrameworkRow(framework, controls.get(framework.slug, 0), *_figures(facts, named[framework.slug]))
        for framework in ComplianceFramework.objects.shown()
    ]


def switched_off() -> list[OffRow]:
    """The published frameworks that are switched off, by name: one query."""
    would = Q(controls__withdrawn_at=None, controls__withdrawn=False)
    off = ComplianceFramework.objects.current().filter(switched_on=False)
    return [OffRow(row, row.would) for row in off.annotate(would=Count("controls", filter=would))]


def no_figures(framework: ComplianceFramework, facts: TechniqueFacts) -> FrameworkRow:
    """A framework that is switched off counts nothing."""
    return FrameworkRow(framework, 0, 0, 0, facts.shares(()))


def family_rows(framework: ComplianceFramework, facts: TechniqueFacts) -> list[FamilyRow]:
    """The families of a framework in the order of its controls: two queries."""
    controls = _in_force("category", framework=framework.slug)
    named = _named(F("control__category"), Q(control__framework=framework.slug))
    return [FamilyRow(name, number, *_figures(facts, named[name])) for name, number in controls.items()]


def control_rows(controls: Iterable[ComplianceControl], facts: TechniqueFacts) -> list[ControlRow]:
    """Each control with its figures: one query however many."""
    named = _techniques(controls)
    return [ControlRow(control, facts.shares(one.technique for one in named[control.pk])) for control in controls]


def conflicting(controls: QuerySet[ComplianceControl]) -> QuerySet[ComplianceControl]:
    """Those in force that claim by a current mapping to stand against an active technique that tests missed, most first."""
    tried = Test.objects.missed().order_by().values("technique_id")
    missed = Technique.objects.active().filter(mitre_id__in=tried).order_by().values("mitre_id")
    named = ComplianceControlMapping.objects.filter(CONTROL_IN_FORCE, DEFENDS, technique__in=missed)
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


def conflict_of(control: ComplianceControl, named: Sequence[Named], facts: TechniqueFacts) -> Conflict:
    """What conflicts in a control that is mapped to the techniques `named`."""
    against = {one.technique for one in named if one.defends and one.technique in facts.active}
    missed = [
        MissedTechnique(mitre_id, facts.active[mitre_id], mitre_id in facts.proven, facts.missed[mitre_id])
        for mitre_id in sorted(against & facts.missed.keys())
    ]
    shares = facts.shares(one.technique for one in named)
    return Conflict(control, shares, tuple(sorted(missed, key=lambda one: one.proven)))


def named_by(mappings: Iterable[ComplianceControlMapping]) -> list[Named]:
    """What the current ones of some mappings name, those left out whose technique nobody knows."""
    return [
        Named(mapping.control_id, str(mapping.technique_id), mapping.defends)
        for mapping in mappings
        if mapping.is_current and mapping.technique_id
    ]


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


def _named(group: F, which: Q) -> Mapping[str, Sequence[Named]]:
    """What the current mappings of controls in force name, by group (a family, a framework). One query."""
    found: defaultdict[str, list[Named]] = defaultdict(list)
    rows = ComplianceControlMapping.objects.filter(CONTROL_IN_FORCE, which).exclude(technique=None).order_by()
    rows = rows.annotate(group=group, against=ExpressionWrapper(DEFENDS, output_field=BooleanField()))
    for of, *named in rows.values_list("group", "control_id", "technique_id", "against"):
        found[of].append(Named(*named))
    return found


def _figures(facts: TechniqueFacts, named: Iterable[Named]) -> tuple[int, int, Shares]:
    """The controls of a group that are mapped, those that conflict, and how their techniques stand."""
    mine = [one for one in named if one.technique in facts.active]
    mapped = {one.control for one in mine}
    conflicting = {one.control for one in mine if one.defends and one.technique in facts.missed}
    return len(mapped), len(conflicting), facts.shares(one.technique for one in mine)


def _techniques(controls: Iterable[ComplianceControl]) -> Mapping[int, Sequence[Named]]:
    """What the current mappings of each control name. One query."""
    named: defaultdict[int, list[Named]] = defaultdict(list)
    rows = ComplianceControlMapping.objects.filter(is_current=True, control__in=[one.pk for one in controls])
    for one in named_by(rows.only(*NAMING).order_by()):
        named[one.control].append(one)
    return named
