"""What stands beside each active technique, and figures of any group of them: all, a tactic, a platform, an actor.

`Standing.now()` asks the database, in two queries; everything else here is pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Final, NamedTuple, Self

from django.db.models import FilteredRelation, Q, Subquery, Value
from django.db.models.functions import Coalesce, Concat

from aegis.lib.rounding import half_up
from catalog.models import AttackRelease, Technique
from coverage.figures.claim_counts import several_claims
from coverage.gaps.owner import Owner
from coverage.techniques.status import Status

CLAIMED: Final = ("rules", "templates", "actors")


class TacticPlace(NamedTuple):
    """A tactic, and its place in the release's order."""

    position: int
    mitre_id: str
    shortname: str
    name: str


class Known(NamedTuple):
    """One active technique. `status` takes its sub-techniques in; the rest is about its own live tests.

    `gap` says that validated tests of it only missed, `tests` counts those that are not archived, `owner` is who has its gap.
    """

    name: str
    platforms: tuple[str, ...] = ()
    status: str = Status.NOT_COVERED
    proven: bool = False
    gap: bool = False
    tests: int = 0
    proven_at: datetime | None = None
    review: bool = False
    owner: Owner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFigures:
    """How a group of active techniques stands, in numbers of techniques.

    `claimed`: a live detection rule names it. `testable`: a test template exists. `proven`: a validated test of its own met
    what it expected. `proven_gaps`: all its validated tests missed. The four statuses add up to `techniques`.
    """

    key: str
    name: str
    techniques: int
    claimed: int
    testable: int
    validated: int
    partial: int
    in_progress: int
    not_covered: int
    proven: int
    proven_gaps: int

    @property
    def claimed_percent(self) -> float:
        """The share of them that a rule names."""
        return percent(self.claimed, self.techniques)

    @property
    def proven_percent(self) -> float:
        """The share of them that is proven."""
        return percent(self.proven, self.techniques)

    @property
    def counts(self) -> dict[str, int]:
        """The numbers by name."""
        return {name: getattr(self, name) for name in FIGURES}

    def with_percents(self) -> dict[str, object]:
        """All fields, and of each number its share of the techniques as `<name>_percent`, with one decimal."""
        shares = {f"{name}_percent": percent(number, self.techniques) for name, number in self.counts.items()}
        del shares["techniques_percent"]
        return asdict(self) | shares


FIGURES: Final = tuple(field.name for field in fields(GroupFigures) if field.name not in {"key", "name"})


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The active techniques by ATT&CK id, the members of each active tactic in the release's order, and what is claimed:
    by name (`rules`, `templates`, `actors`) how many each technique has by itself.
    """

    release: str
    techniques: Mapping[str, Known]
    tactics: Mapping[TacticPlace, Collection[str]]
    claims: Mapping[str, Mapping[str, int]]

    @classmethod
    def now(cls, claims: Iterable[str] = CLAIMED) -> Self:
        """The catalogue and our tests as they are, with `claims` of at least rules, templates and actors."""
        release, techniques, tactics = _techniques()
        return cls(
            release=release,
            techniques=techniques,
            tactics=tactics,
            claims=several_claims(claims),
        )

    def figures(self, members: Collection[str], *, key: str = "", name: str = "") -> GroupFigures:
        """The figures of these techniques; ids that are not active do not count."""
        known = {mitre_id: self.techniques[mitre_id] for mitre_id in set(members) & self.techniques.keys()}
        statuses = Counter(technique.status for technique in known.values())
        return GroupFigures(
            key=key,
            name=name,
            techniques=len(known),
            claimed=len(known.keys() & self.claims["rules"].keys()),
            testable=len(known.keys() & self.claims["templates"].keys()),
            proven=sum(technique.proven for technique in known.values()),
            proven_gaps=sum(technique.gap for technique in known.values()),
            **{status.value: statuses[status.value] for status in Status},
        )

    @property
    def whole(self) -> GroupFigures:
        """The figures of all active techniques."""
        return self.figures(self.techniques.keys(), name="All techniques")

    @property
    def by_tactic(self) -> list[GroupFigures]:
        """The figures of each tactic by its short name; a technique of several tactics counts in each."""
        return [
            self.figures(members, key=tactic.shortname, name=tactic.name) for tactic, members in self.tactics.items()
        ]


def percent(part: int, whole: int) -> float:
    """A share in percent, with one decimal; nought of nothing is nought."""
    return half_up(100 * part / whole, 1) if whole else 0.0


TACTIC_COLUMNS: Final = ("position", "mitre_id", "shortname", "name", "withdrawn_at", "revoked", "deprecated")
COVERAGE_COLUMNS: Final = ("status", "proven", "proven_gap", "tests_total", "last_proven_at", "review_required")
OWNER_COLUMNS: Final = ("owner__username", "owner__is_active", "due_on", "note")


def _techniques() -> tuple[str, dict[str, Known], dict[TacticPlace, set[str]]]:
    """The release, the active techniques, the members of each tactic. One query, with a row for each tactic of each."""
    columns = (
        *(f"technique_tactics__tactic__{column}" for column in TACTIC_COLUMNS),
        *(f"coverage__{column}" for column in COVERAGE_COLUMNS),
        *(f"assigned__{column}" for column in OWNER_COLUMNS),
    )
    techniques: dict[str, Known] = {}
    members: dict[TacticPlace, set[str]] = defaultdict(set)
    label = AttackRelease.objects.current().values(label=Concat("domain", Value(" "), "version"))[:1]
    rows = (
        Technique.objects.active()
        .order_by()
        .annotate(
            release=Coalesce(Subquery(label), Value("")),
            assigned=FilteredRelation("gap_assignments", condition=Q(gap_assignments__ended_at=None)),
        )
    )
    release = ""
    for named, mitre_id, name, platforms, *found in rows.values_list(
        "release", "mitre_id", "name", "platforms", *columns
    ):
        release, place, gone, shown, whose = named, found[:4], found[4:7], found[7:13], found[13:]
        owner = Owner(*whose) if whose[0] is not None else None
        techniques[mitre_id] = Known(name, tuple(platforms), *(shown if shown[0] else ()))._replace(owner=owner)
        if place[0] is not None and not any(gone):
            members[TacticPlace(*place)].add(mitre_id)
    return release, techniques, dict(sorted(members.items()))
