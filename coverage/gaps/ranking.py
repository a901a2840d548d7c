"""The gaps, ranked: techniques that are not proven, each with the arithmetic of its score.

`GapFacts.now()` asks the database; `ranked_gaps` is pure. A score is the sum of four terms, each a share from 0 to 1 times
its weight, rounded to two decimals (a half up), so that what a row prints adds up exactly:

- actors: chosen actors that use the technique, of all chosen ones;
- prevalence: active actors and software that use it, of those of the most used technique;
- need: 1 for a proven gap (validated tests only missed), 0.5 for a technique that no validated test met, 0.25 while a test
  of it is open;
- ease: how many of the four are at hand: a test template, a detection rule, a D3FEND technique, a control.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Self

from django.db.models import Count

from aegis.lib.rounding import half_up
from catalog.models import SoftwareTechnique
from coverage.figures.claims import ACTIVE_ACTOR, active
from coverage.figures.standing import CLAIMED, Standing
from coverage.gaps.owner import Owner
from coverage.gaps.query import Chosen, GapQuery, chosen_actors, known_actors, under_way
from intel.models import ThreatActorTechnique

AT_HAND: Final = {"templates": "template", "rules": "rule", "defences": "D3FEND", "controls": "control"}
CLAIMS_OF_GAPS: Final = (*CLAIMED, "defences", "controls")
NEEDS: Final = {"missed": 1.0, "unproven": 0.5, "open": 0.25}
NEED_WORDS: Final = {
    "missed": "validated tests only missed",
    "unproven": "no validated test met what it expected",
    "open": "a test is under way",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One part of a score: `words` say what was counted, `points` is what it adds."""

    name: str
    words: str
    share: float
    weight: float
    points: float

    @classmethod
    def of(cls, name: str, words: str, share: float, weight: float) -> Self:
        """The term with its points rounded to two decimals."""
        return cls(name, words, share, weight, half_up(share * weight, 2))

    @property
    def product(self) -> str:
        """What the words are multiplied by, and what that gives: "× 2 = 1.20"."""
        return f"× {self.weight:g} = {self.points:.2f}"

    @property
    def arithmetic(self) -> str:
        """As the row prints it: "3 of 5 chosen actors × 2 = 1.20"."""
        return f"{self.words} {self.product}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One technique that is not proven, and whose work that is. `actors` counts the chosen ones that use it, `users` all."""

    rank: int
    mitre_id: str
    name: str
    status: str
    proven_gap: bool
    need: str
    actors: int
    users: int
    at_hand: Mapping[str, int]
    terms: tuple[Term, ...]
    owner: Owner | None = None

    @property
    def score(self) -> float:
        """The sum of the terms."""
        return round(sum(term.points for term in self.terms), 2)

    @property
    def arithmetic(self) -> str:
        """The whole sum in words and numbers."""
        return f"{' + '.join(term.arithmetic for term in self.terms)}; {self.score:.2f}"


@dataclass(frozen=True, kw_only=True)
class GapFacts:
    """What the ranking is made of. `using` says how many of the chosen actors use a technique, `users` how many active actors
    and software do, `at_hand` by technique how many templates, rules, D3FEND techniques and controls there are, `open_tests`
    are the techniques with a test under way.
    """

    standing: Standing
    known: Collection[Chosen] = ()
    chosen: Collection[Chosen] = ()
    using: Mapping[str, int]
    users: Mapping[str, int]
    at_hand: Mapping[str, Mapping[str, int]]
    open_tests: Collection[str] = ()

    @classmethod
    def now(cls, query: GapQuery, known: Collection[Chosen] | None = None, standing: Standing | None = None) -> Self:
        """The catalogue and our tests as they are: six queries, one more for chosen actors; fewer by what is known.

        A `standing` has the claims of `CLAIMS_OF_GAPS`.
        """
        known = known_actors() if known is None else known
        chosen = chosen_actors(query, known)
        standing = standing or Standing.now(CLAIMS_OF_GAPS)
        return cls(
            standing=standing,
            known=known,
            chosen=chosen,
            using=_using(query, chosen, standing),
            users=_users(standing),
            at_hand={name: standing.claims[name] for name in AT_HAND},
            open_tests=under_way(),
        )

    @classmethod
    def of_one(cls, actor: Chosen, used: Collection[str], standing: Standing) -> Self:
        """The same for one actor that uses these techniques, with a standing as above: two queries."""
        return cls(
            standing=standing,
            known=(actor,),
            chosen=(actor,),
            using=dict.fromkeys(used, 1),
            users=_users(standing),
            at_hand={name: standing.claims[name] for name in AT_HAND},
            open_tests=under_way(),
        )

    @property
    def unproven(self) -> list[str]:
        """The active techniques that no validated test of their own has met."""
        return [mitre_id for mitre_id, known in self.standing.techniques.items() if not known.proven]

    def need(self, mitre_id: str) -> str:
        """The key in `NEEDS` of a technique that is not proven."""
        if self.standing.techniques[mitre_id].gap:
            return "missed"
        return "open" if mitre_id in self.open_tests else "unproven"


def ranked_gaps(facts: GapFacts, query: GapQuery) -> list[Gap]:
    """All gaps, the highest score first; of equal ones that with more users, then by ATT&CK id."""
    most = max((facts.users.get(mitre_id, 0) for mitre_id in facts.standing.techniques), default=0)
    scored = [_scored(facts, query, mitre_id, most) for mitre_id in facts.unproven]
    scored.sort(key=lambda row: (-round(sum(term.points for term in row[1]), 2), -_users_of(facts, row[0]), row[0]))
    return [_gap(facts, rank, mitre_id, terms) for rank, (mitre_id, terms) in enumerate(scored, 1)]


def uses_of(actors: Iterable[Chosen], active: AbstractSet[str]) -> dict[str, frozenset[str]]:
    """The active techniques that each actor uses, itself or through a campaign. One query."""
    wanted = {actor.mitre_id for actor in actors}
    uses: dict[str, set[str]] = {mitre_id: set() for mitre_id in wanted}
    rows = ThreatActorTechnique.objects.filter(ACTIVE_ACTOR, actor__mitre_id__in=wanted).exclude(technique=None)
    for actor, technique in rows.order_by().values_list("actor__mitre_id", "technique_id"):
        uses[actor].add(str(technique))
    return {actor: frozenset(techniques & active) for actor, techniques in uses.items()}


def _using(query: GapQuery, chosen: Collection[Chosen], standing: Standing) -> Mapping[str, int]:
    """How many of the chosen actors use each technique: where all are chosen, the claims say so already."""
    if not query.actors and not query.sectors:
        return standing.claims["actors"]
    uses = uses_of(chosen, standing.techniques.keys())
    return Counter(mitre_id for techniques in uses.values() for mitre_id in techniques)


def _users(standing: Standing) -> dict[str, int]:
    """How many active actors and software use each technique by itself. One query."""
    rows = SoftwareTechnique.objects.filter(active("software")).exclude(technique=None).order_by()
    software = dict(rows.values_list("technique_id").annotate(Count("software", distinct=True)))
    return {
        mitre_id: standing.claims["actors"].get(mitre_id, 0) + software.get(mitre_id, 0)
        for mitre_id in standing.techniques
    }


def _scored(facts: GapFacts, query: GapQuery, mitre_id: str, most: int) -> tuple[str, tuple[Term, ...]]:
    return mitre_id, tuple(_terms(facts, query, mitre_id, most))


def _terms(facts: GapFacts, query: GapQuery, mitre_id: str, most: int) -> Iterator[Term]:
    chosen, using, users = len(facts.chosen), facts.using.get(mitre_id, 0), _users_of(facts, mitre_id)
    need = facts.need(mitre_id)
    ready = [word for name, word in AT_HAND.items() if facts.at_hand[name].get(mitre_id)]
    kind = "chosen actor" if query.actors or query.sectors else "actor"
    yield Term.of(
        "actors",
        f"{using} of {chosen} {kind}{'' if chosen == 1 else 's'}",
        using / chosen if chosen else 0.0,
        query.weights.actors,
    )
    yield Term.of(
        "prevalence",
        f"{users} of at most {most} actors and software",
        users / most if most else 0.0,
        query.weights.prevalence,
    )
    yield Term.of("need", f"{NEED_WORDS[need]} ({NEEDS[need]:g})", NEEDS[need], query.weights.need)
    hand = f" ({', '.join(ready)})" if ready else ""
    yield Term.of(
        "ease", f"{len(ready)} of {len(AT_HAND)} at hand{hand}", len(ready) / len(AT_HAND), query.weights.ease
    )


def _gap(facts: GapFacts, rank: int, mitre_id: str, terms: tuple[Term, ...]) -> Gap:
    known = facts.standing.techniques[mitre_id]
    return Gap(
        rank=rank,
        mitre_id=mitre_id,
        name=known.name,
        status=known.status,
        proven_gap=known.gap,
        need=facts.need(mitre_id),
        actors=facts.using.get(mitre_id, 0),
        users=_users_of(facts, mitre_id),
        at_hand={name: facts.at_hand[name].get(mitre_id, 0) for name in AT_HAND},
        terms=terms,
        owner=known.owner,
    )


def _users_of(facts: GapFacts, mitre_id: str) -> int:
    return facts.users.get(mitre_id, 0)
