"""A view of the matrix as a layer for ATT&CK Navigator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from coverage.layers.writing import Entry, Filters, Gradient, Layer, Layout, LegendItem, Named, Versions
from coverage.matrix.assembly import UNTRIED, Assembly, Cell
from coverage.matrix.colours import CLAIMED, FILLS, PROVEN
from coverage.matrix.facts import OTHER

DOMAIN: Final = "enterprise-attack"
COVERAGE: Final = (
    "Colour: what tests have proven; grey where rules only claim it. Score: the share of a technique's own tests that met "
    "what was expected, in percent; one that is attested, validated without a recorded outcome, did not. No score: not "
    "tested. Disabled: left out by the filters."
)
CLAIMS: Final = (
    "Score: detection rules that name the technique or one of its sub-techniques. A rule is a claim: it proves nothing. "
    "Disabled: left out by the filters."
)


def layer_of(drawn: Assembly) -> Layer:
    """The layer: an entry for every technique in each of its tactics, those that the filters leave out disabled."""
    claims = drawn.query.show == "claimed"
    domain, _, version = drawn.facts.release.partition(" ")
    return Layer(
        name=_name(drawn),
        versions=Versions(attack=version.partition(".")[0]),
        domain=domain or DOMAIN,
        description=CLAIMS if claims else COVERAGE,
        filters=Filters(_platforms(drawn)),
        sorting=3 if drawn.query.sort else 0,
        layout=Layout(expandedSubtechniques=drawn.query.subs or "none", showID=drawn.query.ids),
        hideDisabled=drawn.query.is_filtered,
        techniques=list(_entries(drawn)),
        gradient=_gradient(drawn),
        legendItems=_legend(claims=claims),
        metadata=list(_metadata(drawn)),
    )


def _legend(*, claims: bool) -> list[LegendItem]:
    proven = [] if claims else [LegendItem(label, FILLS[look]) for look, label in PROVEN.items()]
    first = "" if claims else "Claimed only: "
    return proven + [LegendItem(first + label, FILLS[look]) for look, label in CLAIMED.items()]


def _name(drawn: Assembly) -> str:
    what = "claimed" if drawn.query.show == "claimed" else "coverage"
    names = [overlay.name for overlay in drawn.overlays]
    return f"Aegis {what}: {', '.join(names)}" if names else f"Aegis {what}"


def _platforms(drawn: Assembly) -> list[str]:
    if drawn.query.platform:
        return [drawn.query.platform]
    return sorted({platform for entry in drawn.facts.techniques for platform in entry.platforms}, key=str.casefold)


def _entries(drawn: Assembly) -> Iterator[Entry]:
    """The entries in the order of the columns. A column that the release does not list is none in Navigator either."""
    for place, members in drawn.places.items():
        for cell in drawn.ordered(members if place != OTHER else ()):
            enabled = cell.mitre_id in drawn.matching and drawn.query.tactic in {"", place}
            yield _entry(drawn, cell, place, enabled=enabled)


def _entry(drawn: Assembly, cell: Cell, place: str, *, enabled: bool) -> Entry:
    return Entry(
        techniqueID=cell.mitre_id,
        tactic=place,
        enabled=enabled,
        score=_score(drawn, cell),
        color=_colour(drawn, cell),
        comment=cell.facts.partition(" · ")[2],
        metadata=list(_notes(drawn, cell)),
        showSubtechniques=drawn.query.opens(cell.mitre_id, place, otherwise=drawn.query.subs == "all"),
    )


def _score(drawn: Assembly, cell: Cell) -> int | None:
    if drawn.query.show == "claimed":
        return drawn.figures[cell.mitre_id].rules
    proof = drawn.proofs.get(cell.mitre_id, UNTRIED)
    return 100 * proof.met // proof.total if proof.total else None


def _colour(drawn: Assembly, cell: Cell) -> str:
    if cell.proof_look and drawn.query.show != "claimed":
        return FILLS[cell.proof_look]
    return FILLS[cell.shade] if cell.shade in CLAIMED else ""


def _notes(drawn: Assembly, cell: Cell) -> Iterator[Named]:
    if cell.local:
        yield Named("Source", "local, not of ATT&CK")
    yield Named("Rules", cell.rules)
    yield Named("Tests", cell.state)
    proof = drawn.proofs.get(cell.mitre_id, UNTRIED)
    if proof.proven_at:
        yield Named("Last proven", f"{proof.proven_at:%Y-%m-%d}")
    if cell.said:
        yield Named("Marked", cell.said)


def _gradient(drawn: Assembly) -> Gradient:
    if drawn.query.show == "claimed":
        most = max((figure.rules for figure in drawn.figures.values()), default=0)
        return Gradient([FILLS["v-c0"], FILLS["v-c4"]], 0, max(100, most))
    return Gradient([FILLS["v-gap"], FILLS["v-partial"], FILLS["v-validated"]], 0, 100)


def _metadata(drawn: Assembly) -> Iterator[Named]:
    matrix = drawn.matrix()
    yield Named("ATT&CK release", drawn.facts.release or "none")
    yield Named("As of", f"{drawn.facts.now_is:%Y-%m-%d %H:%M} UTC")
    yield Named("Claimed", f"{matrix.claimed} of {matrix.total} techniques")
    yield Named("Proven", f"{matrix.proven} of {matrix.total} techniques")
    for laying in matrix.layings:
        overlay = laying.overlay
        yield Named(
            f"{overlay.kind_label}: {overlay.name}",
            f"{laying.total} marked, {laying.claimed} claimed, {laying.proven} proven",
        )
    if drawn.query.address != "?":
        yield Named("View", drawn.query.address.rstrip("&"))
