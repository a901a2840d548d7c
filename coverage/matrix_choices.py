"""What the filter bar of the matrix offers. Everything comes from the facts that the matrix is drawn from: no query more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coverage.matrix_facts import MatrixFacts
from coverage.matrix_query import SORTS, SUBS, MatrixQuery


@dataclass(frozen=True, slots=True)
class Choice:
    """One value; an empty one says nothing and stays out of the address."""

    value: str
    label: str
    is_set: bool = False


@dataclass(frozen=True, slots=True)
class Select:
    """A filter that is chosen from a list."""

    name: str
    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """An actor whose techniques are marked; `is_known` says whether it uses any in this release."""

    mitre_id: str
    name: str
    is_known: bool


def selects(facts: MatrixFacts, query: MatrixQuery) -> tuple[Select, ...]:
    """The filters, with what the address chose."""
    platforms = sorted({platform for entry in facts.techniques for platform in entry.platforms}, key=str.casefold)
    sources = sorted({source for _, _, source in facts.rules})
    return (
        _select("platform", "Platform", "Any", ((name, name) for name in platforms), query.platform),
        _select("tactic", "Tactic", "All", facts.tactics, query.tactic),
        _select("source", "Rules", "Any source", ((slug, slug.capitalize()) for slug in sources), query.source),
        Select("sort", "Sort", _choices(SORTS.items(), query.sort)),
    )


def actors(facts: MatrixFacts, query: MatrixQuery) -> tuple[Choice, ...]:
    """The actors that can still be marked, by name."""
    others = ((actor, name) for actor, name in facts.names_of_actors.items() if actor not in query.actors)
    first = "Add" if query.actors else "None"
    return (Choice("", first), *_choices(sorted(others, key=lambda actor: actor[1].casefold()), ""))


def marked(facts: MatrixFacts, query: MatrixQuery) -> tuple[Marked, ...]:
    """The actors that are marked, in the order of the address."""
    names = facts.names_of_actors
    return tuple(Marked(actor, names.get(actor, actor), actor in names) for actor in query.actors)


def ways_to_open(query: MatrixQuery) -> tuple[Choice, ...]:
    """Which sub-techniques to show."""
    return _choices(SUBS.items(), query.subs)


def _select(name: str, label: str, empty: str, offered: Iterable[tuple[str, str]], chosen: str) -> Select:
    """A filter whose first choice is not to filter. A chosen value that is not on offer is offered: the bar hides nothing."""
    choices = dict([("", empty), *offered])
    choices.setdefault(chosen, chosen)
    return Select(name, label, _choices(choices.items(), chosen))


def _choices(offered: Iterable[tuple[str, str]], chosen: str) -> tuple[Choice, ...]:
    return tuple(Choice(value, label, value == chosen) for value, label in offered)
