"""What the ATT&CK matrix is drawn from: techniques, their tactics, what is claimed and proven for them, what lies over them.

`MatrixFacts.now()` asks the database, in seven queries; everything else here is pure.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final, Self

from django.db.models import Subquery, TextField, Value
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils import timezone

from aegis.accounts.models import User
from aegis.lib.joined import Joined
from catalog.models import LOCAL, AttackRelease, DetectionRuleTechnique, Tactic, Technique
from coverage.figures.claims import ACTIVE_ACTOR, LIVE_RULE, claims
from coverage.matrix.overlay_rows import Laid, Offer, laid, offers
from coverage.matrix.query import MatrixQuery
from coverage.techniques.status import Status
from intel.models import ThreatActorTechnique

OTHER: Final = "other"
"""The last column: techniques in tactics that the release does not list."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A technique as ATT&CK publishes it, or a `local` one; `parent` is empty where there is none."""

    mitre_id: str
    name: str
    parent: str = ""
    platforms: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()
    local: bool = False


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


LOOKS: Final = {Status.VALIDATED: "v-validated", Status.PARTIAL: "v-partial", Status.IN_PROGRESS: "v-progress"}
WORDS: Final = {status.value: status.label.lower() for status in Status}


@dataclass(frozen=True, slots=True)
class Proof:
    """What tests have shown of a technique: `status` takes its sub-techniques in, all else is about its own live tests.

    `proven_below`: whether a test proved one of its sub-techniques.
    """

    status: str
    proven: bool = False
    gap: bool = False
    met: int = 0
    total: int = 0
    proven_at: datetime | None = None
    review: bool = False
    attested: int = 0
    validated: int = 0
    proven_below: bool = False

    @property
    def says(self) -> bool:
        """Whether any test says anything."""
        return bool(self.total or self.gap or self.status != Status.NOT_COVERED)

    @property
    def only_attested(self) -> bool:
        """Whether its status is good by tests alone that were validated without a recorded outcome: nothing is proven."""
        if self.gap or self.met or self.proven_below:
            return False
        own = bool(self.attested) and self.attested == self.validated
        return self.status == Status.VALIDATED or (self.status == Status.PARTIAL and own)

    @property
    def look(self) -> str:
        """The class of the proven half of its cell; empty where no test says anything."""
        if self.only_attested:
            return "v-attested"
        return "v-gap" if self.gap else LOOKS.get(Status(self.status), "")

    @property
    def short(self) -> str:
        """What the proven half prints: tests that met their expectation, of all; or that only sub-techniques have any."""
        if not self.says:
            return ""
        return f"{self.met}/{self.total}" if self.total else "subs"

    @property
    def words(self) -> str:
        """The status, and the tests behind it."""
        status = "proven gap" if self.gap else WORDS[self.status]
        status += " by attestation only" if self.only_attested else ""
        tests = (
            f"{self.met} of {self.total} test{'' if self.total == 1 else 's'} met"
            if self.total
            else "by sub-techniques"
        )
        return f"{status}, {tests}{f', {self.attested} attested' if self.attested else ''}"


@dataclass(frozen=True, kw_only=True)
class MatrixFacts:
    """What the matrix is drawn from.

    `tactics` are (short name, name) in the release's order; `techniques` the active ones. `rules` are (technique, its live
    rules, their source), `uses` (actor's id, actor's name, its techniques), `templates` counts by technique: a template has but
    one. `proofs` are of techniques that tests say something about, or that are due for review. `laid` are the rows of the
    overlays that a query chose, and of its outcome; `offers` what could be chosen. Techniques go by the ids that they
    resolved to.
    """

    release: str = ""
    tactics: Sequence[tuple[str, str]] = ()
    techniques: Sequence[Entry] = ()
    rules: Sequence[tuple[str, Collection[Hashable], str]] = ()
    templates: Mapping[str, int] = field(default_factory=dict)
    uses: Sequence[tuple[str, str, Collection[str]]] = ()
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    laid: Sequence[Laid] = ()
    offers: Sequence[Offer] = ()
    now_is: datetime = field(default_factory=timezone.now)

    @classmethod
    def now(cls, query: MatrixQuery | None = None, user: User | None = None) -> Self:
        """The catalogue and our tests as they are, with what `query` lays over them and `user` may see."""
        tactics = _tactics()
        techniques, proofs = _techniques()
        return cls(
            release=tactics[0][2] if tactics else "",
            tactics=[(shortname, name) for shortname, name, _ in tactics],
            techniques=techniques,
            rules=_rules(),
            templates=claims("templates"),
            uses=_uses(),
            proofs=proofs,
            laid=laid(query, user) if query and user else (),
            offers=offers(user) if user else (),
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
        return {actor: name for actor, name, _ in self.uses}

    @cached_property
    def names_of_tactics(self) -> dict[str, str]:
        """The tactics that are columns: name by short name, `OTHER` last."""
        return dict(self.tactics) | {OTHER: "Other"}

    def places(self, entry: Entry) -> list[str]:
        """The columns that a technique stands in, each once."""
        known = self.names_of_tactics
        return list(dict.fromkeys(tactic if tactic in known else OTHER for tactic in entry.tactics or (OTHER,)))


TECHNIQUE_COLUMNS: Final = ("mitre_id", "name", "parent_id", "listed", "source", "technique_tactics__tactic")
PROOF_COLUMNS: Final = tuple(
    f"coverage__{name}"
    for name in (
        *("status", "proven", "proven_gap", "tests_met", "tests_total", "last_proven_at", "review_required"),
        *("tests_attested", "tests_validated"),
    )
)


def figures(facts: MatrixFacts, source: str = "") -> dict[str, Figures]:
    """What is claimed for each technique, by ATT&CK id; with `source`, only rules of that source count."""
    rules: defaultdict[str, set[Hashable]] = defaultdict(set)
    for technique, several, origin in facts.rules:
        if not source or origin == source:
            rules[technique].update(several)
    actors: defaultdict[str, set[Hashable]] = defaultdict(set)
    for actor, _, techniques in facts.uses:
        for technique in techniques:
            actors[technique].add(actor)
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


def _rules() -> list[tuple[str, list[str], str]]:
    """The live rules of each technique and source: joined in the database, which is half the work of taking them one by one."""
    rules = DetectionRuleTechnique.objects.filter(LIVE_RULE).exclude(technique=None).order_by()
    rows = rules.values_list("technique_id", "rule__source").annotate(joined=Joined("rule_id"))
    return [(str(technique), joined.split(","), source) for technique, source, joined in rows]


def _uses() -> list[tuple[str, str, list[str]]]:
    """The techniques of each active actor, joined as the rules are."""
    uses = ThreatActorTechnique.objects.filter(ACTIVE_ACTOR).exclude(technique=None).order_by()
    rows = uses.values_list("actor__mitre_id", "actor__name").annotate(joined=Joined("technique_id"))
    return [(actor, name, joined.split(",")) for actor, name, joined in rows]


def _techniques() -> tuple[list[Entry], dict[str, Proof]]:
    """The active techniques, and what tests say of them, where they do. The query has a row for each tactic of each."""
    found: dict[str, tuple[str, str | None, tuple[str, ...], bool]] = {}
    tactics: dict[str, list[str]] = defaultdict(list)
    proofs: dict[str, Proof] = {}
    active = Technique.objects.active().annotate(listed=Cast("platforms", TextField())).order_by()
    for mitre_id, name, parent, listed, source, tactic, status, *shown in active.values_list(
        *TECHNIQUE_COLUMNS, *PROOF_COLUMNS
    ):
        found[mitre_id] = (name, parent, _platforms(listed), source == LOCAL)
        tactics[mitre_id] += [tactic] if tactic else []
        if status:
            proofs[mitre_id] = Proof(status, *shown)
    proven_below = {found[mitre_id][1] for mitre_id, proof in proofs.items() if proof.proven}
    entries = [
        Entry(mitre_id, name, parent or "", platforms, tuple(tactics[mitre_id]), local)
        for mitre_id, (name, parent, platforms, local) in found.items()
    ]
    return entries, {
        mitre_id: replace(proof, proven_below=mitre_id in proven_below)
        for mitre_id, proof in proofs.items()
        if proof.says or proof.review
    }


# There are some dozens of different lists on a thousand rows.
@lru_cache(maxsize=1024)
def _platforms(listed: str) -> tuple[str, ...]:
    return tuple(json.loads(listed))


def _tactics() -> list[tuple[str, str, str]]:
    """(short name, name, release) of the columns: one query for both, where a page has few."""
    release = AttackRelease.objects.current().values(label=Concat("domain", Value(" "), "version"))[:1]
    named = Tactic.objects.active().annotate(release=Coalesce(Subquery(release), Value("")))
    return list(named.values_list("shortname", "name", "release"))
