"""Which of D3FEND's countermeasures stand against our gaps, and through which artifacts they meet.

A gap is an active technique that is not covered, or a proven gap: one on which validated tests of its own only missed, whatever
its sub-techniques do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from django.db.models import Q, QuerySet

from catalog.models import DefensiveTechnique, DefensiveTechniqueMapping, Technique
from coverage.figures.claims import CLAIM, claims
from coverage.techniques.status import Status

MOST_DEFENCES: Final = 15


@dataclass(frozen=True, slots=True)
class OpenGap:
    """One technique that is not covered; `actors` are those that use it by itself."""

    mitre_id: str
    name: str
    proven_gap: bool
    actors: int


@dataclass(frozen=True, slots=True)
class Countermeasure:
    """A defence, and how many of our gaps and proven gaps it counters."""

    defence: DefensiveTechnique
    gaps: int
    proven_gaps: int


@dataclass(frozen=True, slots=True)
class CounteredGap:
    """A gap with its countermeasures by D3FEND's tactics, and the artifacts through which they meet it, most shared first."""

    gap: OpenGap
    groups: tuple[tuple[str, tuple[DefensiveTechnique, ...]], ...]
    artifacts: tuple[tuple[str, int], ...]


def open_gaps(techniques: QuerySet[Technique] | None = None) -> list[OpenGap]:
    """The gaps among these techniques (all active ones), proven ones first, then those that most actors use: two queries."""
    among = Technique.objects.active() if techniques is None else techniques
    uncovered = Q(coverage=None) | Q(coverage__status=Status.NOT_COVERED)
    rows = (
        among.filter(uncovered | Q(coverage__proven_gap=True))
        .order_by()
        .values_list("mitre_id", "name", "coverage__proven_gap")
    )
    users = claims("actors")
    gaps = [OpenGap(mitre_id, name, bool(proven), users.get(mitre_id, 0)) for mitre_id, name, proven in rows]
    return sorted(gaps, key=lambda gap: (not gap.proven_gap, -gap.actors, gap.mitre_id))


def countermeasures(gaps: Collection[OpenGap]) -> list[Countermeasure]:
    """The defences that counter most of these gaps, most proven gaps first among equals: two queries."""
    proven = {gap.mitre_id: gap.proven_gap for gap in gaps}
    pairs = CLAIM["defences"].references().exclude(technique=None)
    found = set(pairs.values_list("defensive_technique_id", "technique_id"))  # type: ignore[misc]  # the claim's model has it
    counted = Counter(defence for defence, technique in found if technique in proven)
    missed = Counter(defence for defence, technique in found if proven.get(str(technique)))
    best = sorted(counted, key=lambda defence: (-counted[defence], -missed[defence], defence))[:MOST_DEFENCES]
    defences = DefensiveTechnique.objects.in_bulk(best)
    return [Countermeasure(defences[one], counted[one], missed[one]) for one in best]


def countered(gaps: Sequence[OpenGap]) -> list[CounteredGap]:
    """Each gap with what counters it: one query however many."""
    wanted = [gap.mitre_id for gap in gaps]
    rows = DefensiveTechniqueMapping.objects.filter(CLAIM["defences"].counts, Q(technique__in=wanted))
    by_gap: defaultdict[str, list[DefensiveTechniqueMapping]] = defaultdict(list)
    for row in rows.select_related("defensive_technique"):
        by_gap[str(row.technique_id)].append(row)
    return [_countered(gap, by_gap[gap.mitre_id]) for gap in gaps]


def _countered(gap: OpenGap, rows: Iterable[DefensiveTechniqueMapping]) -> CounteredGap:
    defences: dict[int, DefensiveTechnique] = {}
    sharing: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        defences[row.defensive_technique_id] = row.defensive_technique
        for artifact in _artifacts(row.paths):
            sharing[artifact].add(row.defensive_technique_id)
    ordered = sorted(defences.values(), key=lambda one: (one.tactic_position, one.tactic, one.name))
    groups = groupby(ordered, key=lambda one: one.tactic)
    artifacts = sorted(((name, len(users)) for name, users in sharing.items()), key=lambda one: (-one[1], one[0]))
    return CounteredGap(gap, tuple((tactic or "No tactic", tuple(found)) for tactic, found in groups), tuple(artifacts))


def _artifacts(paths: Iterable[Mapping[str, str]]) -> set[str]:
    """What the technique touches, as the paths of one mapping name it."""
    return {path["attack_artifact"] for path in paths if path.get("attack_artifact")}
