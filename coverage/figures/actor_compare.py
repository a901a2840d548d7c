"""Several threat actors beside each other: the techniques that they share, those of one alone, and how we stand to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.http import QueryDict

from coverage.figures.shares import Shares, TechniqueFacts
from coverage.gaps.query import Chosen
from coverage.gaps.ranking import uses_of

FEWEST: Final = 2
MOST: Final = 5
SHOWN: Final = {"": "All", "shared": "Shared by all", "own": "Of one alone"}


@dataclass(frozen=True, slots=True)
class Column:
    """One actor: how its techniques stand, and how many of them no other of the compared actors uses."""

    actor: Chosen
    shares: Shares
    own: int


@dataclass(frozen=True, slots=True)
class Row:
    """One technique: which of the actors use it, in their order, and how we stand to it."""

    mitre_id: str
    name: str
    used: tuple[bool, ...]
    claimed: bool
    proven: bool
    missed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The actors, how the techniques that all of them use stand, and the rows that were asked for."""

    columns: tuple[Column, ...]
    shared: Shares
    together: Shares
    rows: tuple[Row, ...]


def wanted(values: QueryDict, known: Iterable[Chosen]) -> list[Chosen]:
    """The active actors that a query string names, each once, at most `MOST`; others are left out."""
    by_id = {actor.mitre_id: actor for actor in known}
    ids = dict.fromkeys(value.strip().upper() for value in values.getlist("actor"))
    return [by_id[mitre_id] for mitre_id in ids if mitre_id in by_id][:MOST]


def compared(actors: Sequence[Chosen], show: str = "") -> Comparison:
    """The actors beside each other; `show` is a key of `SHOWN`. Four queries."""
    facts = TechniqueFacts.now()
    uses = uses_of(actors, facts.active.keys())
    sets = [uses[actor.mitre_id] for actor in actors]
    shared = frozenset.intersection(*sets)
    rows = [_row(mitre_id, sets, facts) for mitre_id in frozenset.union(*sets)]
    return Comparison(
        columns=tuple(Column(actor, facts.shares(uses[actor.mitre_id]), _own(actor, uses)) for actor in actors),
        shared=facts.shares(shared),
        together=facts.shares(frozenset.union(*sets)),
        rows=tuple(
            sorted((row for row in rows if _is_shown(row, show)), key=lambda row: (-sum(row.used), row.mitre_id))
        ),
    )


def _row(mitre_id: str, sets: Sequence[frozenset[str]], facts: TechniqueFacts) -> Row:
    missed = facts.missed.get(mitre_id)
    return Row(
        mitre_id,
        facts.active[mitre_id],
        tuple(mitre_id in used for used in sets),
        claimed=mitre_id in facts.claimed,
        proven=mitre_id in facts.proven,
        missed=missed.tests if missed else 0,
    )


def _own(actor: Chosen, uses: Mapping[str, frozenset[str]]) -> int:
    others = frozenset[str]().union(*(used for mitre_id, used in uses.items() if mitre_id != actor.mitre_id))
    return len(uses[actor.mitre_id] - others)


def _is_shown(row: Row, show: str) -> bool:
    if show == "shared":
        return all(row.used)
    return sum(row.used) == 1 if show == "own" else True
