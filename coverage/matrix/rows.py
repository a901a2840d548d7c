"""The matrix as rows of a table, for files."""

from collections.abc import Iterator
from typing import Final

from coverage.matrix.assembly import UNTRIED, Assembly, Cell
from coverage.matrix.facts import WORDS

HEAD: Final = (
    "Technique",
    "Name",
    "Parent",
    "Tactics",
    "Platforms",
    "Source",
    "Rules",
    "Templates",
    "Actors",
    "Claimed",
    "Status",
    "Proven",
    "Proven gap",
    "Tests met",
    "Tests attested",
    "Tests",
    "Last proven",
    "Review required",
    "Marked",
)


def rows(drawn: Assembly) -> Iterator[tuple[object, ...]]:
    """The techniques that the filters leave, in their order: what `HEAD` names."""
    shown = {
        mitre_id for place, members in drawn.places.items() if drawn.query.tactic in {"", place} for mitre_id in members
    }
    for cell in drawn.ordered(shown & drawn.matching):
        yield _row(drawn, cell)


def _row(drawn: Assembly, cell: Cell) -> tuple[object, ...]:
    entry, figure = drawn.facts.by_id[cell.mitre_id], drawn.figures[cell.mitre_id]
    proof = drawn.proofs.get(cell.mitre_id, UNTRIED)
    return (
        cell.mitre_id,
        cell.name,
        entry.parent,
        cell.tactics,
        ", ".join(entry.platforms),
        "local" if entry.local else "attack",
        figure.rules,
        figure.templates,
        figure.actors,
        _yes(figure.named),
        WORDS[proof.status],
        _yes(proof.proven),
        _yes(proof.gap),
        proof.met,
        proof.attested,
        proof.total,
        proof.proven_at.date().isoformat() if proof.proven_at else "",
        _yes(proof.review),
        cell.said,
    )


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
