"""What the home page shows: the figures, the two backlogs that face each other, tactics, catalogue, changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.db.models import Count, QuerySet, Value
from django.urls import reverse

from catalog.models import AttackRelease, DefensiveTechnique, DetectionRule, Technique, TestTemplate
from compliance.models import ComplianceControl
from coverage.by_tactic import TacticSummary
from coverage.claim_counts import several_claims
from coverage.proofs import Proofs, proofs
from coverage.summary import CoverageSummary
from imports.source_state import SourceState
from intel.models import ThreatActor

BACKLOG: Final = 5
"""Rows of a backlog that the page shows."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One technique of a backlog, and why it stands where it does."""

    mitre_id: str
    name: str
    actors: int
    rules: int
    templates: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """The techniques that the most actors use come first; `number` counts all of them."""

    number: int
    first: tuple[Candidate, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of the bar: x and width are percentages for SVG. `look` names its fill."""

    label: str
    number: int
    x: str
    width: str
    look: str
    url: str


class TacticPlace(NamedTuple):
    """A tactic, and its place in the release's order."""

    position: int
    mitre_id: str
    shortname: str
    name: str


@dataclass(frozen=True, slots=True)
class TacticRow:
    """One tactic with the widths of its two bars."""

    summary: TacticSummary
    claimed_width: str
    testable_width: str


@dataclass(frozen=True, slots=True)
class Holding:
    """How much of one kind the catalogue holds, and the list of it."""

    label: str
    number: int
    url: str
    icon: str


@dataclass(frozen=True, slots=True)
class Home:
    """The page without the sources. `summary.techniques` is 0 before the first import of ATT&CK."""

    release: AttackRelease | None
    summary: CoverageSummary
    proofs: Proofs
    undetected: Backlog
    untested: Backlog
    segments: tuple[Segment, ...]
    tactics: tuple[TacticRow, ...]
    holdings: tuple[Holding, ...]


def home() -> Home:
    """The page as the catalogue is now: six queries."""
    release = AttackRelease.objects.current().first()
    names, tactics = active_techniques()
    claimed = several_claims(("rules", "templates", "actors"))
    with_rule, with_template = names.keys() & claimed["rules"].keys(), names.keys() & claimed["templates"].keys()
    shown = proofs(names)
    summary = CoverageSummary(
        release=str(release or ""),
        techniques=len(names),
        claimed=len(with_rule),
        testable=len(with_template),
        **holdings(),
    )
    return Home(
        release=release,
        summary=summary,
        proofs=shown,
        undetected=backlog(with_template - with_rule, names, claimed, has_rules="false", has_templates="true"),
        untested=backlog(with_rule - shown.tested, names, claimed, has_rules="true", has_tests="false"),
        segments=tuple(segments(len(names), with_rule, with_template)),
        tactics=tuple(tactic_row(place, members, with_rule, with_template) for place, members in tactics.items()),
        holdings=tuple(shelves(summary)),
    )


def active_techniques() -> tuple[dict[str, str], dict[TacticPlace, set[str]]]:
    """Names of active techniques by ATT&CK id, and the ids of each active tactic in the release's order. One query."""
    columns = ("position", "mitre_id", "shortname", "name", "withdrawn_at", "revoked", "deprecated")
    tactic = [f"technique_tactics__tactic__{column}" for column in columns]
    names: dict[str, str] = {}
    members: dict[TacticPlace, set[str]] = defaultdict(set)
    for mitre_id, name, *found in Technique.objects.active().order_by().values_list("mitre_id", "name", *tactic):
        names[mitre_id] = name
        place, gone = found[:4], found[4:]
        if place[0] is not None and not any(gone):
            members[TacticPlace(*place)].add(mitre_id)
    return names, dict(sorted(members.items()))


def holdings() -> dict[str, int]:
    """How many rules, templates, actors, defences and controls count. One query."""
    counted: dict[str, QuerySet[Any, Any]] = {
        "templates": TestTemplate.objects.current(),
        "rules": DetectionRule.objects.listed(),
        "actors": ThreatActor.objects.active(),
        "defences": DefensiveTechnique.objects.current(),
        "controls": ComplianceControl.objects.in_force(),
    }
    parts = [
        rows.order_by()
        .annotate(kind=Value(kind))
        .values("kind")
        .annotate(number=Count("pk"))
        .values_list("kind", "number")
        for kind, rows in counted.items()
    ]
    return dict.fromkeys(counted, 0) | dict(parts[0].union(*parts[1:], all=True))


def backlog(
    techniques: set[str], names: Mapping[str, str], claimed: Mapping[str, Mapping[str, int]], **filters: str
) -> Backlog:
    """The backlog of some techniques; `filters` are those of the list that shows all of them."""
    candidates = (
        Candidate(
            mitre_id, names[mitre_id], *(claimed[name].get(mitre_id, 0) for name in ("actors", "rules", "templates"))
        )
        for mitre_id in techniques
    )
    ranked = sorted(candidates, key=lambda one: (-one.actors, one.mitre_id))
    url = reverse("coverage:technique-list", query=filters | {"ordering": "-actors"})
    return Backlog(len(ranked), tuple(ranked[:BACKLOG]), url)


def segments(number: int, with_rule: set[str], with_template: set[str]) -> Iterable[Segment]:
    """The bar from blue's backlog to red's: nothing known, a template alone, both, a rule alone."""
    both, either = len(with_rule & with_template), len(with_rule | with_template)
    parts = (
        ("Nothing known", number - either, "hatch", "false", "false"),
        ("Template, no rule", len(with_template) - both, "template", "false", "true"),
        ("Rule and template", both, "both", "true", "true"),
        ("Rule, no template", len(with_rule) - both, "claim", "true", "false"),
    )
    start = 0
    for label, size, look, has_rules, has_templates in parts:
        url = reverse("coverage:technique-list", query={"has_rules": has_rules, "has_templates": has_templates})
        yield Segment(label, size, percent(start, number), percent(size, number), look, url)
        start += size


def tactic_row(tactic: TacticPlace, members: set[str], with_rule: set[str], with_template: set[str]) -> TacticRow:
    """One tactic; a technique of several tactics counts in each."""
    summary = TacticSummary(
        mitre_id=tactic.mitre_id,
        tactic=tactic.shortname,
        name=tactic.name,
        techniques=len(members),
        claimed=len(members & with_rule),
        testable=len(members & with_template),
    )
    claimed, testable = (percent(part, len(members)) for part in (summary.claimed, summary.testable))
    return TacticRow(summary, claimed, testable)


def shelves(summary: CoverageSummary) -> Iterable[Holding]:
    """The catalogue, kind by kind."""
    kinds = (
        ("Techniques", summary.techniques, "coverage:technique-list", "list"),
        ("Detection rules", summary.rules, "catalog:rule-list", "rule"),
        ("Test templates", summary.templates, "catalog:template-list", "book"),
        ("Threat actors", summary.actors, "intel:actor-list", "users"),
        ("Defences", summary.defences, "catalog:defence-list", "shield"),
        ("Controls", summary.controls, "compliance:control-list", "scale"),
    )
    return (Holding(label, number, reverse(url_name), icon) for label, number, url_name, icon in kinds)


def percent(part: int, whole: int) -> str:
    """A share as SVG takes it: "22.14%"."""
    return f"{100 * part / whole:.2f}%" if whole else "0%"


def changed(states: Iterable[SourceState]) -> list[SourceState]:
    """The sources whose last import that wrote changed anything, newest first."""
    counts = ("created", "updated", "restored", "withdrawn")
    wrote = [state for state in states if state.applied and any(getattr(state.applied, count) for count in counts)]
    return sorted(wrote, key=lambda state: state.applied.pk if state.applied else 0, reverse=True)
