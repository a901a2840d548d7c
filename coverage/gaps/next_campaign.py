"""The next best campaign: which few tests would raise the proven coverage of the chosen actors most.

Proven coverage of an actor is the share of its active techniques that are proven; that of several is the mean of theirs. A
test tries one technique, so it adds, for each actor that uses the technique, one part of that actor's techniques. What one
adds does not depend on the others: taking the largest first is therefore the best plan of every size.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

from aegis.lib.rounding import half_up
from catalog.models import TestTemplate
from coverage.figures.standing import Standing
from coverage.gaps.query import Chosen, GapQuery, chosen_actors, known_actors, under_way
from coverage.gaps.ranking import uses_of

FIRST_SOURCE = "atomic"
"""Atomic tests are written to be carried out one by one: where a technique has one, it goes before others."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A test template by what a plan shows of it."""

    pk: int
    name: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One test of the plan. `gain` are the points of percent that it adds; without a `template` somebody has to write it."""

    mitre_id: str
    name: str
    actors: int
    gain: float
    template: Recipe | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorLine:
    """An actor's active techniques: all, proven now, and proven if every test of the plan meets what it expects."""

    mitre_id: str
    name: str
    techniques: int
    before: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignPlan:
    """The tests, the largest gain first. `before` and `after` are the mean proven shares in percent.

    `open_tests` techniques are left out because a test of them is under way, `left` ones because the budget ended.
    """

    query: GapQuery
    release: str
    picks: tuple[Pick, ...]
    lines: tuple[ActorLine, ...]
    before: float
    after: float
    open_tests: int
    left: int

    @property
    def without_template(self) -> int:
        """Tests whose procedure somebody has to write."""
        return sum(pick.template is None for pick in self.picks)


@dataclass(frozen=True, kw_only=True)
class PlanFacts:
    """What a plan is made from: the chosen actors' techniques, those with a test under way, and a template for each."""

    standing: Standing
    chosen: Collection[Chosen]
    uses: Mapping[str, AbstractSet[str]]
    open_tests: AbstractSet[str] = frozenset()
    recipes: Mapping[str, Recipe]

    @classmethod
    def now(cls, query: GapQuery, known: Collection[Chosen] | None = None) -> Self:
        """The catalogue and our tests as they are: seven queries, six if the active actors are `known`."""
        chosen = chosen_actors(query, known_actors() if known is None else known)
        standing = Standing.now()
        return cls(
            standing=standing,
            chosen=chosen,
            uses=uses_of(chosen, standing.techniques.keys()),
            open_tests=under_way(),
            recipes=_recipes(),
        )


def next_campaign(facts: PlanFacts, query: GapQuery) -> CampaignPlan:
    """The best plan of at most `query.tests` tests. Of equal gains, what has a template goes first, then by ATT&CK id."""
    uses = {actor: techniques for actor, techniques in facts.uses.items() if techniques}
    proven = {mitre_id for mitre_id, known in facts.standing.techniques.items() if known.proven}
    wanted = set().union(*uses.values()) - proven
    gains = {mitre_id: _gain(uses, mitre_id) for mitre_id in wanted - facts.open_tests}
    ranked = sorted(gains, key=lambda mitre_id: (-round(gains[mitre_id], 9), mitre_id not in facts.recipes, mitre_id))
    taken = ranked[: query.tests]
    lines = tuple(_lines(facts, uses, proven, set(taken)))
    return CampaignPlan(
        query=query,
        release=facts.standing.release,
        picks=tuple(
            Pick(
                mitre_id=mitre_id,
                name=facts.standing.techniques[mitre_id].name,
                actors=sum(mitre_id in techniques for techniques in uses.values()),
                gain=half_up(100 * gains[mitre_id], 2),
                template=facts.recipes.get(mitre_id),
            )
            for mitre_id in taken
        ),
        lines=lines,
        before=_mean(lines, "before"),
        after=_mean(lines, "after"),
        open_tests=len(wanted & facts.open_tests),
        left=len(ranked) - len(taken),
    )


def _gain(uses: Mapping[str, AbstractSet[str]], mitre_id: str) -> float:
    return sum(1 / len(techniques) for techniques in uses.values() if mitre_id in techniques) / len(uses)


def _lines(
    facts: PlanFacts, uses: Mapping[str, AbstractSet[str]], proven: set[str], taken: set[str]
) -> list[ActorLine]:
    lines = [
        ActorLine(
            mitre_id=actor.mitre_id,
            name=actor.name,
            techniques=len(uses[actor.mitre_id]),
            before=len(uses[actor.mitre_id] & proven),
            after=len(uses[actor.mitre_id] & (proven | taken)),
        )
        for actor in facts.chosen
        if actor.mitre_id in uses
    ]
    return sorted(lines, key=lambda line: (line.before - line.after, line.name))


def _mean(lines: Collection[ActorLine], moment: str) -> float:
    shares = [100 * getattr(line, moment) / line.techniques for line in lines]
    return half_up(sum(shares) / len(shares), 1) if shares else 0.0


def _recipes() -> dict[str, Recipe]:
    """A template for each technique that has any: an atomic test, or else the first by name. One query."""
    rows = TestTemplate.objects.current().exclude(technique=None).order_by()
    found: dict[str, Recipe] = {}
    for mitre_id, pk, name, source in rows.values_list("technique_id", "pk", "name", "source"):
        recipe = Recipe(pk, name, source)
        if mitre_id not in found or _before(recipe) < _before(found[mitre_id]):
            found[mitre_id] = recipe
    return found


def _before(recipe: Recipe) -> tuple[bool, str, int]:
    return recipe.source != FIRST_SOURCE, recipe.name, recipe.pk
