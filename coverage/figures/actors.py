"""How the techniques of threat actors stand: a bar in the list; on an actor's page a strip for each tactic, and its gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from coverage.figures.shares import Shares, TechniqueFacts
from coverage.figures.standing import Known, Standing, TacticPlace
from coverage.gaps.query import Chosen, GapQuery
from coverage.gaps.ranking import Gap, GapFacts, ranked_gaps
from intel.models import ThreatActor, ThreatActorTechnique

SIDE: Final = 14
"""Height and width of a cell in a strip, with the space after it, in pixels."""


@dataclass(frozen=True, slots=True)
class ActorRow:
    """One actor of a list, and how its techniques stand."""

    actor: ThreatActor
    shares: Shares


class Spot(NamedTuple):
    """One technique in a strip."""

    mitre_id: str
    words: str
    look: str
    pattern: str
    x: int


@dataclass(frozen=True, slots=True)
class Strip:
    """The techniques of an actor in one tactic, of how many that the tactic has."""

    tactic: TacticPlace
    spots: tuple[Spot, ...]
    proven: int
    of: int

    @property
    def width(self) -> int:
        """In pixels."""
        return SIDE * len(self.spots)


def actor_rows(actors: Iterable[ThreatActor], facts: TechniqueFacts) -> list[ActorRow]:
    """Each actor with its figures: one query however many."""
    used: defaultdict[int, set[str]] = defaultdict(set)
    rows = ThreatActorTechnique.objects.filter(actor__in=[actor.pk for actor in actors]).exclude(technique=None)
    for actor, technique in rows.order_by().values_list("actor_id", "technique_id"):
        used[actor].add(str(technique))
    return [ActorRow(actor, facts.shares(used[actor.pk])) for actor in actors]


def actor_gaps(actor: ThreatActor, used: Collection[str], standing: Standing) -> list[Gap]:
    """The techniques of the actor that are not proven, the most urgent first: two queries."""
    chosen = Chosen(actor.mitre_id, actor.name, tuple(actor.target_sectors))
    facts = GapFacts.of_one(chosen, used, standing)
    return [gap for gap in ranked_gaps(facts, GapQuery(actors=(actor.mitre_id,))) if gap.actors]


def tactic_strips(standing: Standing, used: Collection[str]) -> list[Strip]:
    """The active techniques of an actor by tactic, in the release's order, as cells of a small matrix."""
    strips = []
    for tactic, members in standing.tactics.items():
        mine = sorted(set(members) & set(used))
        spots = tuple(_spot(mitre_id, standing, place) for place, mitre_id in enumerate(mine))
        proven = sum(standing.techniques[mitre_id].proven for mitre_id in mine)
        strips.append(Strip(tactic, spots, proven, len(members)))
    return strips


def _spot(mitre_id: str, standing: Standing, place: int) -> Spot:
    known = standing.techniques[mitre_id]
    look, pattern, words = _shown(known, mitre_id in standing.claims["rules"])
    return Spot(mitre_id, f"{mitre_id} {known.name}: {words}", look, pattern, place * SIDE)


def _shown(known: Known, claimed: bool) -> tuple[str, str, str]:
    if known.proven:
        return "good", "", "proven"
    if known.gap:
        return "gap", "p-cross", "only missed"
    return ("claim", "p-hatch", "claimed, not proven") if claimed else ("none", "", "neither claimed nor proven")
