"""The ATT&CK matrix as it is printed: which cell stands in which column, in which order, with which figures. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from coverage.matrix_facts import OTHER, Entry, Figures, MatrixFacts, Proof, figures
from coverage.matrix_query import MatrixQuery

RAMP: Final = ((100, "v-c4"), (25, "v-c3"), (5, "v-c2"), (1, "v-c1"), (0, "v-c0"))
"""From how many rules on the claimed half has which shade."""

BETWEEN: Final = " · "
"""Stands between the facts of a cell; static/js/matrix.js takes them apart by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One technique, ready to be printed.

    `parent` is the parent's name, `facts` the id and figures in words, `look` and `shade` are classes, `users` the chosen
    actors that use it. `proof` and the class `proof_look` are empty where no test says anything.
    """

    mitre_id: str
    name: str
    parent: str
    look: str
    facts: str
    shade: str
    rules: str
    templates: str
    actors: str
    tactics: str
    state: str
    users: str
    proof: str = ""
    proof_look: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A cell in one column, with those of its sub-techniques that stand there too. `toggle` is a query string."""

    cell: Cell
    subs: tuple[Cell, ...] = ()
    is_open: bool = False
    toggle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A tactic: a rule names `claimed` of its `total` techniques. `families` are those that the filters leave."""

    shortname: str
    name: str
    claimed: int
    total: int
    families: tuple[Family, ...]

    @property
    def claimed_share(self) -> str:
        """Width of the claimed bar."""
        return f"{100 * self.claimed / self.total:.2f}%" if self.total else "0%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """One view of the matrix: as a picture in `columns`, or as a table in `rows`; both print the same cells.

    The filters leave `shown` of `total` techniques. Of all, rules name `claimed`, a validated test proved `proven`, and
    `tested` have tests of their own; the chosen actors use `used`, of which rules name `used_claimed`.
    """

    columns: tuple[Column, ...]
    rows: tuple[Cell, ...]
    shown: int
    claimed: int
    proven: int
    tested: int
    total: int
    used: int
    used_claimed: int


def assemble(facts: MatrixFacts, query: MatrixQuery) -> Matrix:
    """The matrix that `query` asks for."""
    return _Assembly(facts, query).matrix()


@dataclass(frozen=True)
class _Assembly:
    """The facts and the question, and what is worked out from both once."""

    facts: MatrixFacts
    query: MatrixQuery

    def matrix(self) -> Matrix:
        places = {place: members for place, members in self._places.items() if self.query.tactic in {"", place}}
        shown = set().union(*places.values()) & self._matching
        as_table = self.query.as_table
        return Matrix(
            columns=() if as_table else tuple(self._column(place, members) for place, members in places.items()),
            rows=tuple(self._ordered(shown)) if as_table else (),
            shown=len(shown),
            claimed=self._claimed(self._figures),
            proven=sum(proof.proven for proof in self._proofs.values()),
            tested=sum(proof.total > 0 for proof in self._proofs.values()),
            total=len(self._figures),
            used=len(self._users),
            used_claimed=self._claimed(self._users),
        )

    @cached_property
    def _figures(self) -> dict[str, Figures]:
        return figures(self.facts, self.query.source)

    def _claimed(self, techniques: Iterable[str]) -> int:
        return sum(self._figures[technique].named for technique in techniques)

    @cached_property
    def _proofs(self) -> dict[str, Proof]:
        """What tests say, of active techniques."""
        return {mitre_id: proof for mitre_id, proof in self.facts.proofs.items() if mitre_id in self.facts.by_id}

    @cached_property
    def _matching(self) -> set[str]:
        """The ids that the filters leave."""
        return {entry.mitre_id for entry in self.facts.techniques if self._matches(entry)}

    def _matches(self, entry: Entry) -> bool:
        """Whether the filters leave a technique. Who searches for a parent finds its sub-techniques too."""
        if self.query.platform and self.query.platform not in entry.platforms:
            return False
        parent = self.facts.by_id.get(entry.parent)
        return self._is_found(entry) or bool(parent and self._is_found(parent))

    def _is_found(self, entry: Entry) -> bool:
        """Whether the search finds a technique by its own id or name."""
        needle = self.query.search.casefold()
        return needle in entry.mitre_id.casefold() or needle in entry.name.casefold()

    @cached_property
    def _users(self) -> dict[str, list[str]]:
        """The names of the chosen actors that use a technique, by its id."""
        names: dict[str, set[str]] = defaultdict(set)
        for technique, actor, name in self.facts.uses:
            if actor in self.query.actors and technique in self.facts.by_id:
                names[technique].add(name)
        return {technique: sorted(found) for technique, found in names.items()}

    @cached_property
    def _used_below(self) -> set[str]:
        """Parents of which the chosen actors use a sub-technique."""
        return {self.facts.parent_of[technique] for technique in self._users if technique in self.facts.parent_of}

    @cached_property
    def _places(self) -> dict[str, set[str]]:
        """The ids in each column, in the release's order; the last column only where a technique needs it."""
        places: dict[str, set[str]] = {tactic: set() for tactic in self.facts.names_of_tactics}
        for entry in self.facts.techniques:
            for place in self.facts.places(entry):
                places[place].add(entry.mitre_id)
        return {place: members for place, members in places.items() if members or place != OTHER}

    def _column(self, place: str, members: set[str]) -> Column:
        """One column. A sub-technique whose parent does not stand here stands by itself."""
        subs: dict[str, set[str]] = defaultdict(set)
        heads: set[str] = set()
        for mitre_id in members:
            parent = self.facts.parent_of.get(mitre_id, "")
            if mitre_id in self._matching:
                (subs[parent] if parent in members else heads).add(mitre_id)
        shown = sorted(heads | (subs.keys() & members), key=self._rank)
        return Column(
            shortname=place,
            name=self.facts.names_of_tactics[place],
            claimed=self._claimed(members),
            total=len(members),
            families=tuple(self._family(place, head, subs[head]) for head in shown),
        )

    def _family(self, place: str, head: str, subs: set[str]) -> Family:
        """A parent that does not match itself stands for sub-techniques that do; what the search found is open."""
        if not subs:
            return Family(cell=self._cells[head])
        found = bool(self.query.search) and any(self._is_found(self.facts.by_id[sub]) for sub in subs)
        annotated = self.query.subs == "annotated" and any(self._figures[sub].is_annotated for sub in subs)
        is_open = self.query.opens(head, place, otherwise=found or annotated or self.query.subs == "all")
        return Family(
            cell=self._cells[head],
            subs=tuple(self._ordered(subs)),
            is_open=is_open,
            toggle=self.query.toggled(head, place, is_open=is_open),
        )

    def _ordered(self, techniques: Iterable[str]) -> list[Cell]:
        return [self._cells[technique] for technique in sorted(techniques, key=self._rank)]

    def _rank(self, technique: str) -> tuple[int, str, str]:
        rules = self._figures[technique].rules if self.query.sort == "rules" else 0
        return (-rules, self.facts.by_id[technique].name.casefold(), technique)

    @cached_property
    def _cells(self) -> dict[str, Cell]:
        return {entry.mitre_id: self._cell(entry) for entry in self.facts.techniques}

    def _cell(self, entry: Entry) -> Cell:
        figure, proof = self._figures[entry.mitre_id], self._proofs.get(entry.mitre_id)
        return Cell(
            mitre_id=entry.mitre_id,
            name=entry.name,
            parent=self.facts.by_id[entry.parent].name if entry.parent in self.facts.by_id else "",
            look=" ".join(["cell", *self._marks(entry.mitre_id)]),
            facts=BETWEEN.join(self._words(entry.mitre_id)),
            shade=next(shade for least, shade in RAMP if figure.rules >= least),
            rules=f"{figure.rules:,}",
            templates=f"{figure.templates:,}",
            actors=f"{figure.actors:,}",
            tactics=", ".join(self.facts.names_of_tactics[place] for place in self.facts.places(entry)),
            state=self._state(entry.mitre_id),
            users=", ".join(self._users.get(entry.mitre_id, ())),
            proof=proof.short if proof else "",
            proof_look=proof.look if proof else "",
        )

    def _marks(self, technique: str) -> Iterator[str]:
        if not self._figures[technique].is_annotated and technique not in self._proofs:
            yield "is-unknown"
        if technique not in self._matching:
            yield "is-dim"
        if technique in self._users:
            yield "is-used"
        elif technique in self._used_below:
            yield "is-used-below"

    def _state(self, technique: str) -> str:
        """What tests say of a technique, in words."""
        if technique in self._proofs:
            return self._proofs[technique].words
        return "not tested" if self._figures[technique].is_annotated else "nothing known"

    def _words(self, technique: str) -> Iterator[str]:
        figure = self._figures[technique]
        yield technique
        yield _number(figure.rules, "rule")
        yield _number(figure.templates, "template")
        yield _number(figure.actors, "actor")
        yield self._state(technique)
        if technique in self._users:
            yield f"used by {', '.join(self._users[technique])}"
        elif technique in self._used_below:
            yield "a sub-technique is used"


def _number(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
