"""The ATT&CK matrix as it is printed: which cell stands in which column, in which order, with which figures. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from coverage.charts.drawing import share
from coverage.matrix.facts import OTHER, Entry, Figures, MatrixFacts, Proof, figures
from coverage.matrix.filters import Sieve
from coverage.matrix.overlays import Overlay, overlays
from coverage.matrix.query import MatrixQuery

RAMP: Final = ((100, "v-c4"), (25, "v-c3"), (5, "v-c2"), (1, "v-c1"), (0, "v-c0"))
"""From how many rules on the claimed half has which shade."""

BETWEEN: Final = " · "
"""Stands between the facts of a cell; static/js/matrix.js takes them apart by it."""


PROVEN_RANK: Final = {"v-validated": 0, "v-partial": 1, "v-attested": 2, "v-progress": 3, "v-gap": 4}
"""Best proven first; what no test speaks of comes last."""


class Mark(NamedTuple):
    """That an overlay marks a technique, or (`below`) only one of its sub-techniques."""

    letter: str
    below: bool = False


class Cell(NamedTuple):
    """One technique, ready to be printed.

    `parent` is the parent's name, `facts` the id and figures in words, `look` and `shade` are classes, `marks` the
    overlays that mark it and `said` what they say. `proof` and the class `proof_look` are empty where no test says anything.
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
    marks: tuple[Mark, ...]
    said: str
    proof: str = ""
    proof_look: str = ""
    review: bool = False
    local: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A cell in one column, with those of its sub-techniques that stand there too. `toggle` is a query string."""

    cell: Cell
    subs: tuple[Cell, ...] = ()
    is_open: bool = False
    toggle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A tactic: of its `total` techniques a rule names `claimed`, and a validated test proved `proven`.

    `families` are those that the filters leave.
    """

    shortname: str
    name: str
    claimed: int
    proven: int
    total: int
    families: tuple[Family, ...]

    @property
    def claimed_share(self) -> str:
        """Width of the claimed bar."""
        return share(self.claimed, self.total)

    @property
    def proven_share(self) -> str:
        """Width of the proven bar."""
        return share(self.proven, self.total)


@dataclass(frozen=True, slots=True)
class Laying:
    """An overlay with its figures: of the `total` techniques that it marks rules name `claimed`, and tests proved `proven`."""

    overlay: Overlay
    total: int
    claimed: int
    proven: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """One view of the matrix: as a picture in `columns`, or as a table in `rows`; both print the same cells.

    The filters leave `shown` of `total` techniques. Of all, rules name `claimed`, a validated test proved `proven`, and
    `tested` have tests of their own. `marked` are marked by one of the `layings` at least.
    """

    columns: tuple[Column, ...]
    rows: tuple[Cell, ...]
    shown: int
    claimed: int
    proven: int
    tested: int
    total: int
    marked: int
    layings: tuple[Laying, ...]


def assemble(facts: MatrixFacts, query: MatrixQuery) -> Matrix:
    """The matrix that `query` asks for."""
    return Assembly(facts, query).matrix()


@dataclass(frozen=True)
class Assembly:
    """The facts and the question, and what is worked out from both once."""

    facts: MatrixFacts
    query: MatrixQuery

    def matrix(self) -> Matrix:
        """The whole of it."""
        places = {place: members for place, members in self.places.items() if self.query.tactic in {"", place}}
        shown = set().union(*places.values()) & self.matching
        as_table = self.query.as_table
        return Matrix(
            columns=() if as_table else tuple(self._column(place, members) for place, members in places.items()),
            rows=tuple(self.ordered(shown)) if as_table else (),
            shown=len(shown),
            claimed=self._claimed(self.figures),
            proven=self._proven(self.proofs),
            tested=sum(proof.total > 0 for proof in self.proofs.values()),
            total=len(self.figures),
            marked=sum(any(not mark.below for mark in marks) for marks in self.marks.values()),
            layings=tuple(
                Laying(overlay, len(overlay.notes), self._claimed(overlay.notes), self._proven(overlay.notes))
                for overlay in self.overlays
            ),
        )

    @cached_property
    def figures(self) -> dict[str, Figures]:
        """What is claimed, by technique."""
        return figures(self.facts, self.query.source)

    def _claimed(self, techniques: Iterable[str]) -> int:
        return sum(self.figures[technique].named for technique in techniques)

    def _proven(self, techniques: Iterable[str]) -> int:
        return sum(self.proofs[technique].proven for technique in techniques if technique in self.proofs)

    @cached_property
    def proofs(self) -> dict[str, Proof]:
        """What tests say, of active techniques."""
        return {mitre_id: proof for mitre_id, proof in self.facts.proofs.items() if mitre_id in self.facts.by_id}

    @cached_property
    def overlays(self) -> tuple[Overlay, ...]:
        """What lies over the matrix."""
        return overlays(self.facts, self.query)

    @cached_property
    def marks(self) -> dict[str, tuple[Mark, ...]]:
        """The overlays of each technique that any marks, in their order."""
        marks: dict[str, list[Mark]] = defaultdict(list)
        for overlay in self.overlays:
            parents = {self.facts.parent_of[sub] for sub in overlay.notes if sub in self.facts.parent_of}
            for technique in overlay.notes:
                marks[technique].append(Mark(overlay.letter))
            for technique in parents - overlay.notes.keys():
                marks[technique].append(Mark(overlay.letter, below=True))
        return {technique: tuple(found) for technique, found in marks.items()}

    @cached_property
    def matching(self) -> set[str]:
        """The ids that the filters leave."""
        return self._sieve.matching()

    @cached_property
    def _sieve(self) -> Sieve:
        marked = {technique for overlay in self.overlays for technique in overlay.notes}
        known = {technique for technique, figure in self.figures.items() if figure.is_annotated}
        return Sieve(self.facts, self.query, self.proofs, marked, known)

    @cached_property
    def places(self) -> dict[str, set[str]]:
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
        for mitre_id in members & self.matching:
            parent = self.facts.parent_of.get(mitre_id, "")
            (subs[parent] if parent in members else heads).add(mitre_id)
        shown = sorted(heads | (subs.keys() & members), key=self._ranks.__getitem__)
        return Column(
            shortname=place,
            name=self.facts.names_of_tactics[place],
            claimed=self._claimed(members),
            proven=self._proven(members),
            total=len(members),
            families=tuple(self._family(place, head, subs[head]) for head in shown),
        )

    def _family(self, place: str, head: str, subs: set[str]) -> Family:
        """A parent that does not match itself stands for sub-techniques that do; what the search found is open."""
        if not subs:
            return Family(cell=self.cells[head])
        found = bool(self.query.search) and any(self._sieve.is_found(self.facts.by_id[sub]) for sub in subs)
        annotated = self.query.subs == "annotated" and not self._annotated.isdisjoint(subs)
        is_open = self.query.opens(head, place, otherwise=found or annotated or self.query.subs == "all")
        return Family(
            cell=self.cells[head],
            subs=tuple(self.ordered(subs)),
            is_open=is_open,
            toggle=self.query.toggled(head, place, is_open=is_open),
        )

    @cached_property
    def _annotated(self) -> set[str]:
        """Techniques of which something is known: with overlays, those that are marked."""
        if self.overlays:
            return set(self.marks)
        return {technique for technique, figure in self.figures.items() if figure.is_annotated} | self.proofs.keys()

    def ordered(self, techniques: Iterable[str]) -> list[Cell]:
        """The cells of some techniques in the order that the query asks for."""
        return [self.cells[technique] for technique in sorted(techniques, key=self._ranks.__getitem__)]

    @cached_property
    def _ranks(self) -> dict[str, int]:
        """The place of each technique among all: by the chosen figure, then by name."""
        order = sorted(
            (self._weight(entry.mitre_id), entry.name.casefold(), entry.mitre_id) for entry in self.facts.techniques
        )
        return {mitre_id: rank for rank, (_, _, mitre_id) in enumerate(order)}

    def _weight(self, technique: str) -> float:
        match self.query.sort:
            case "rules":
                return -self.figures[technique].rules
            case "marks":
                return -sum(1 if not mark.below else 0.01 for mark in self.marks.get(technique, ()))
            case "proven" if technique in self.proofs:
                proof = self.proofs[technique]
                return PROVEN_RANK.get(proof.look, 5) - proof.met / (proof.met + 1)
            case "proven":
                return 6
        return 0

    @cached_property
    def cells(self) -> dict[str, Cell]:
        """Every technique, ready to be printed."""
        return {entry.mitre_id: self._cell(entry) for entry in self.facts.techniques}

    def _cell(self, entry: Entry) -> Cell:
        mitre_id = entry.mitre_id
        figure, proof = self.figures[mitre_id], self.proofs.get(mitre_id, UNTRIED)
        said = self._said(mitre_id) if mitre_id in self.marks else ""
        state = proof.words if proof.says else "not tested" if figure.is_annotated else "nothing known"
        parent = self.facts.by_id.get(entry.parent)
        return Cell(
            mitre_id,
            entry.name,
            parent.name if parent else "",
            self._look(mitre_id, is_known=figure.is_annotated or proof.says),
            BETWEEN.join(_words(entry, figure, state, said, review=proof.review)),
            _shade(figure.rules),
            f"{figure.rules:,}",
            f"{figure.templates:,}",
            f"{figure.actors:,}",
            ", ".join([self.facts.names_of_tactics[place] for place in self.facts.places(entry)]),
            state,
            self.marks.get(mitre_id, ()),
            said,
            proof.short,
            proof.look,
            proof.review,
            entry.local,
        )

    def _look(self, technique: str, *, is_known: bool) -> str:
        look = "cell" if is_known else "cell is-unknown"
        if technique not in self.matching:
            look += " is-dim"
        if marks := self.marks.get(technique):
            look += " is-used-below" if all(mark.below for mark in marks) else " is-used"
        return look

    def _said(self, technique: str) -> str:
        """What the overlays say of a technique that they mark."""
        said: dict[str, list[str]] = defaultdict(list)
        for overlay in self.overlays:
            if technique in overlay.notes:
                note = overlay.notes[technique]
                said[overlay.verb].append(f"{overlay.name} ({note})" if note else overlay.name)
        return BETWEEN.join(f"{verb} {', '.join(names)}" for verb, names in said.items()) or "a sub-technique is marked"


UNTRIED: Final = Proof("not_covered")


def _shade(rules: int) -> str:
    for least, shade in RAMP:
        if rules >= least:
            return shade
    return RAMP[-1][1]


def _words(entry: Entry, figure: Figures, state: str, said: str, *, review: bool) -> Iterator[str]:
    yield entry.mitre_id
    yield _number(figure.rules, "rule")
    yield _number(figure.templates, "template")
    yield _number(figure.actors, "actor")
    yield state
    if review:
        yield "review required"
    if entry.local:
        yield "local, not of ATT&CK"
    if said:
        yield said


def _number(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
