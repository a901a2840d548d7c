"""What the filter bar of the matrix offers. Everything comes from the facts that the matrix is drawn from: no query more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coverage.matrix.facts import MatrixFacts
from coverage.matrix.query import AGES, KINDS, OUTCOMES, SORTS, STATUSES, SUBS, MatrixQuery


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


def selects(facts: MatrixFacts, query: MatrixQuery) -> tuple[Select, ...]:
    """The filters, with what the address chose."""
    platforms = sorted({platform for entry in facts.techniques for platform in entry.platforms}, key=str.casefold)
    sources = sorted({source for _, _, source in facts.rules})
    return (
        _select("platform", "Platform", "Any", ((name, name) for name in platforms), query.platform),
        _select("tactic", "Tactic", "All", facts.tactics, query.tactic),
        _select("status", "Status", "Any", STATUSES.items(), query.status),
        _select("age", "Proven", "Any time", AGES.items(), query.age),
        _select("outcome", "Outcome", "Any", OUTCOMES.items(), query.outcome),
        _select("review", "Review", "Any", [("due", "Due")], query.review),
        _select("source", "Rules", "Any source", ((slug, slug.capitalize()) for slug in sources), query.source),
        Select("sort", "Sort", _choices(SORTS.items(), query.sort)),
    )


def adders(facts: MatrixFacts, query: MatrixQuery) -> tuple[Select, ...]:
    """A list for each kind of overlay of which one is left that could be laid over the matrix."""
    offered: dict[str, list[tuple[str, str]]] = {kind: [] for kind in KINDS}
    offered["actor"] = sorted(facts.names_of_actors.items(), key=lambda actor: actor[1].casefold())
    for offer in facts.offers:
        if offer.kind in offered:
            offered[offer.kind].append((offer.key, offer.label))
    left = {kind: [pair for pair in pairs if (kind, pair[0]) not in query.overlays] for kind, pairs in offered.items()}
    return tuple(
        Select(kind, KINDS[kind], (Choice("", "Add" if query.keys(kind) else "None"), *_choices(pairs, "")))
        for kind, pairs in left.items()
        if pairs
    )


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
