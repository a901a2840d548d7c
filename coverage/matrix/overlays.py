"""What lies over the matrix: up to five things, each with a letter, and the techniques that it marks. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from compliance.words import words_of
from coverage.matrix.facts import MatrixFacts
from coverage.matrix.overlay_rows import Laid
from coverage.matrix.query import KINDS, MatrixQuery

LETTERS: Final = "ABCDE"

VERBS: Final = {
    "actor": "used by",
    "campaign": "tried in",
    "component": "seen in",
    "layer": "in layer",
}
"""How a cell says that an overlay of a kind marks it; a framework has words of its own."""

THINGS: Final = {"campaign": "test"}
"""What the number of a marked technique counts; the number of a layer is its score, a framework has words of its own."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """One thing that lies over the matrix. `notes` says of each technique that it marks what it says of it, often nothing.

    `is_known` is False for a key that names nothing that marks a technique of this release.
    """

    letter: str
    kind: str
    key: str
    name: str
    notes: Mapping[str, str]

    @property
    def is_known(self) -> bool:
        """Whether it marks anything."""
        return bool(self.notes)

    @property
    def verb(self) -> str:
        """How a cell says that the overlay marks it."""
        return words_of(self.key).mapped if self.kind == "framework" else VERBS[self.kind]

    @property
    def kind_label(self) -> str:
        """The kind for people."""
        return KINDS[self.kind]


def overlays(facts: MatrixFacts, query: MatrixQuery) -> tuple[Overlay, ...]:
    """What the query lays over the matrix, in its order, each with its letter."""
    names = {(offer.kind, offer.key): offer.label for offer in facts.offers}
    notes = _notes(facts, query)
    return tuple(
        Overlay(
            letter=letter,
            kind=kind,
            key=key,
            name=(facts.names_of_actors if kind == "actor" else _of(names, kind)).get(key, key),
            notes=notes[kind, key],
        )
        for letter, (kind, key) in zip(LETTERS, query.overlays, strict=False)
    )


def _of(names: Mapping[tuple[str, str], str], kind: str) -> dict[str, str]:
    return {key: label for (one, key), label in names.items() if one == kind}


def _notes(facts: MatrixFacts, query: MatrixQuery) -> defaultdict[tuple[str, str], dict[str, str]]:
    """What each chosen overlay says of each active technique that it marks."""
    notes: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    chosen = set(query.keys("actor"))
    for actor, _, techniques in facts.uses:
        if actor in chosen:
            notes["actor", actor] |= dict.fromkeys(facts.by_id.keys() & techniques, "")
    for row in facts.laid:
        if row.technique in facts.by_id:
            notes[row.kind, row.key][row.technique] = _note(row)
    return notes


def _note(row: Laid) -> str:
    """What an overlay says of one technique."""
    if row.kind == "layer":
        score = "" if row.number is None else f"score {row.number:g}"
        return ": ".join(part for part in (score, row.words) if part)
    if row.kind == "framework":
        return words_of(row.key).counted(round(row.number or 0))
    thing = THINGS.get(row.kind)
    return f"{row.number:,.0f} {thing}{'' if row.number == 1 else 's'}" if thing else ""
