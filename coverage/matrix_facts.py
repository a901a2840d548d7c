"""What the ATT&CK matrix is drawn from: techniques, their tactics, and what is claimed for them.

`MatrixFacts.now()` asks the database, in five queries; everything else here is pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Self

from django.db.models import Subquery, Value
from django.db.models.functions import Coalesce, Concat

from catalog.models import AttackRelease, DetectionRuleTechnique, Tactic, Technique
from coverage.claims import ACTIVE_ACTOR, LIVE_RULE, claims
from coverage.status import Status
from intel.models import ThreatActorTechnique

OTHER: Final = "other"
"""The last column: techniques in tactics that the release does not list."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A technique as ATT&CK publishes it; `parent` is empty where there is none."""

    mitre_id: str
    name: str
    parent: str = ""
    platforms: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is claimed for a technique: for one with sub-techniques, of the whole family, each rule and actor once.

    `named` says whether a rule names the technique itself: that makes it claimed, here as in the coverage summary.
    """

    rules: int = 0
    templates: int = 0
    actors: int = 0
    named: bool = False

    @property
    def is_annotated(self) -> bool:
        """Whether there is a rule or a template: otherwise nothing is known."""
        return bool(self.rules or self.templates)


@dataclass(frozen=True, slots=True)
class Proof:
    """What tests have shown of a technique: `status` takes its sub-techniques in, all else is about its own live tests."""

    status: str
    proven: bool = False
    gap: bool = False
    met: int = 0
    total: int = 0

    @property
    def look(self) -> str:
        """The class of the proven half of its cell; empty where no test says anything."""
        if self.gap:
            return "v-gap"
        looks = {Status.VALIDATED: "v-validated", Status.PARTIAL: "v-partial", Status.IN_PROGRESS: "v-progress"}
        return looks.get(Status(self.status), "")

    @property
    def short(self) -> str:
        """What the proven half prints: tests that met their expectation, of all; or that only sub-techniques have any."""
        return f"{self.met}/{self.total}" if self.total else "subs"

    @property
    def words(self) -> str:
        """The status, and the tests behind it."""
        status = "proven gap" if self.gap else Status(self.status).label.lower()
        tests = (
            f"{self.met} of {self.total} test{'' if self.total == 1 else 's'} met"
            if self.total
            else "by sub-techniques"
        )
        return f"{status}, {tests}"


@dataclass(frozen=True, kw_only=True)
class MatrixFacts:
    """What the matrix is drawn from.

    `tactics` are (short name, name) in the release's order; `techniques` the active ones. `rules` are (technique, rule,
    source) of live rules, `uses` (technique, actor's id, actor's name), `templates` counts by technique: a template has but
    one. `proofs` are of techniques that tests say something about. Techniques go by the ids that they resolved to.
    """

    release: str = ""
    tactics: Sequence[tuple[str, str]] = ()
    techniques: Sequence[Entry] = ()
    rules: Sequence[tuple[str, int, str]] = ()
    templates: Mapping[str, int] = field(default_factory=dict)
    uses: Sequence[tuple[str, str, str]] = ()
    proofs: Mapping[str, Proof] = field(default_factory=dict)

    @classmethod
    def now(cls) -> Self:
        """The catalogue as it is."""
        rules = DetectionRuleTechnique.objects.filter(LIVE_RULE).exclude(technique=None).order_by()
        uses = ThreatActorTechnique.objects.filter(ACTIVE_ACTOR).exclude(technique=None).order_by()
        tactics = _tactics()
        techniques, proofs = _techniques()
        return cls(
            release=tactics[0][2] if tactics else "",
            tactics=[(shortname, name) for shortname, name, _ in tactics],
            techniques=techniques,
            rules=list(rules.values_list("technique__mitre_id", "rule_id", "rule__source")),
            templates=claims("templates"),
            uses=list(uses.values_list("technique__mitre_id", "actor__mitre_id", "actor__name")),
            proofs=proofs,
        )

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        """The techniques by ATT&CK id."""
        return {entry.mitre_id: entry for entry in self.techniques}

    @cached_property
    def parent_of(self) -> dict[str, str]:
        """The parent of each sub-technique whose parent is active too."""
        return {entry.mitre_id: entry.parent for entry in self.techniques if entry.parent in self.by_id}

    @cached_property
    def names_of_actors(self) -> dict[str, str]:
        """The actors that use a technique: name by ATT&CK id."""
        return {actor: name for _, actor, name in self.uses}

    @cached_property
    def names_of_tactics(self) -> dict[str, str]:
        """The tactics that are columns: name by short name, `OTHER` last."""
        return dict(self.tactics) | {OTHER: "Other"}

    def places(self, entry: Entry) -> list[str]:
        """The columns that a technique stands in, each once."""
        known = self.names_of_tactics
        return list(dict.fromkeys(tactic if tactic in known else OTHER for tactic in entry.tactics or (OTHER,)))


TECHNIQUE_COLUMNS: Final = ("mitre_id", "name", "parent_id", "platforms", "technique_tactics__tactic")
PROOF_COLUMNS: Final = tuple(
    f"coverage__{name}" for name in ("status", "proven", "proven_gap", "tests_met", "tests_total")
)


def figures(facts: MatrixFacts, source: str = "") -> dict[str, Figures]:
    """What is claimed for each technique, by ATT&CK id; with `source`, only rules of that source count."""
    rules = _things((technique, rule) for technique, rule, origin in facts.rules if not source or origin == source)
    actors = _things((technique, actor) for technique, actor, _ in facts.uses)
    named = rules.keys() & facts.by_id.keys()
    templates = Counter(facts.templates)
    for mitre_id, parent in facts.parent_of.items():
        rules[parent] |= rules[mitre_id]
        actors[parent] |= actors[mitre_id]
        templates[parent] += templates[mitre_id]
    return {
        mitre_id: Figures(
            rules=len(rules[mitre_id]),
            templates=templates[mitre_id],
            actors=len(actors[mitre_id]),
            named=mitre_id in named,
        )
        for mitre_id in facts.by_id
    }


def _things(pairs: Iterable[tuple[str, Hashable]]) -> defaultdict[str, set[Hashable]]:
    """The different things that each technique has."""
    things: defaultdict[str, set[Hashable]] = defaultdict(set)
    for technique, thing in pairs:
        things[technique].add(thing)
    return things


def _techniques() -> tuple[list[Entry], dict[str, Proof]]:
    """The active techniques, and what tests say of them, where they do. The query has a row for each tactic of each."""
    found: dict[str, tuple[str, str | None, list[str]]] = {}
    tactics: dict[str, list[str]] = defaultdict(list)
    proofs: dict[str, Proof] = {}
    rows = Technique.objects.active().order_by().values_list(*TECHNIQUE_COLUMNS, *PROOF_COLUMNS)
    for mitre_id, name, parent, platforms, tactic, status, *shown in rows:
        found[mitre_id] = (name, parent, platforms)
        tactics[mitre_id] += [tactic] if tactic else []
        if status:
            proofs[mitre_id] = Proof(status, *shown)
    entries = [
        Entry(mitre_id, name, parent or "", tuple(platforms), tuple(tactics[mitre_id]))
        for mitre_id, (name, parent, platforms) in found.items()
    ]
    return entries, {mitre_id: proof for mitre_id, proof in proofs.items() if proof.look or proof.total}


def _tactics() -> list[tuple[str, str, str]]:
    """(short name, name, release) of the columns: one query for both, where a page has few."""
    release = AttackRelease.objects.current().values(label=Concat("domain", Value(" "), "version"))[:1]
    named = Tactic.objects.active().annotate(release=Coalesce(Subquery(release), Value("")))
    return list(named.values_list("shortname", "name", "release"))
