"""The matrix as a picture for slides: SVG that needs nothing else. Pure; every text in it is escaped.

Colours stand in attributes, not in styles: the content policy of the site lets no style stand inside a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from coverage.charts.svg import fitting, lines, rect, text, width_of, words
from coverage.matrix.assembly import Assembly, Cell, Column, Matrix
from coverage.matrix.colours import CLAIMED, FILLS, INK, OVERLAYS, PROVEN

MARGIN: Final = 32
HEAD: Final = 160
"""Height above the columns: title, release, overlays, and the heads of the columns."""
FOOT: Final = 56
CELL, GAP, COLUMN_GAP, INDENT = 43, 3, 8, 10
STRIP: Final = 13
LEAST_WIDTH, MOST_WIDTH = 122, 230
SLIDE: Final = 16 / 9
TEXT_SIZE: Final = 11
DEFINITIONS: Final = (
    '<pattern id="diag" width="5" height="5" patternUnits="userSpaceOnUse"><path d="M-1 6 6 -1M-1 1 1 -1M4 6 6 4" '
    'stroke="#fff" stroke-opacity=".55"/></pattern><pattern id="cross" width="6" height="6" '
    'patternUnits="userSpaceOnUse"><path d="M0 0 6 6M6 0 0 6" stroke="#fff" stroke-opacity=".5"/></pattern><pattern id="hatch" '
    'width="5" height="5" patternUnits="userSpaceOnUse"><path d="M-1 6 6 -1M-1 1 1 -1M4 6 6 4" stroke="#c3cad3"/></pattern>'
)
OPENING: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:.0f} {1}" width="{0:.0f}" height="{1}" role="img" '
    'font-family="Arial, Helvetica, sans-serif" text-rendering="geometricPrecision">'
)
OVER: Final = {"v-partial": "diag", "v-gap": "cross"}
"""Patterns over the colours: they tell them apart without a hue."""
SIDES: Final = "Left: rules that name it. Right: tests that met what was expected, of all."
LINE: Final = 18
"""Between two lines of the legend."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A cell at its place in a column; a sub-technique stands a little to the right."""

    cell: Cell
    is_sub: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """How large everything is: a tactic with more cells than `rows` goes on in a column beside."""

    rows: int
    columns: int

    @property
    def height(self) -> int:
        """Of the picture."""
        return HEAD + self.rows * (CELL + GAP) + FOOT + MARGIN

    @property
    def width(self) -> float:
        """Of a column: as wide as a slide lets it be."""
        fitting_slide = (self.height * SLIDE - 2 * MARGIN) / self.columns - COLUMN_GAP
        return min(MOST_WIDTH, max(LEAST_WIDTH, fitting_slide))

    @property
    def whole(self) -> float:
        """Width of the picture."""
        return max(960, 2 * MARGIN + self.columns * (self.width + COLUMN_GAP) - COLUMN_GAP)


def picture(drawn: Assembly) -> str:
    """The picture of a view of the matrix, in the proportions of a slide as far as its columns allow."""
    matrix = drawn.matrix()
    columns = [(column, list(_placed(column))) for column in matrix.columns]
    sheet = _sheet([len(cells) for _, cells in columns])
    return "".join(
        [
            OPENING.format(sheet.whole, sheet.height),
            f"<title>{text('ATT&CK matrix')}</title><desc>{text(_summary(matrix))}</desc><defs>{DEFINITIONS}</defs>",
            rect(0, 0, sheet.whole, sheet.height, "#ffffff"),
            *_heading(drawn, matrix, sheet.whole),
            *_body(columns, sheet),
            *_legend(sheet.height - MARGIN, sheet.whole, tested=bool(matrix.tested)),
            "</svg>",
        ]
    )


def _sheet(lengths: list[int]) -> Sheet:
    """The sheet on which texts come out largest on a slide: the one that is least wide at a slide's proportions."""
    longest = max([1, *lengths])
    sheets = [Sheet(rows, sum(max(1, -(-length // rows)) for length in lengths) or 1) for rows in range(1, longest + 1)]
    return min(sheets, key=lambda sheet: max(sheet.whole, sheet.height * SLIDE))


def _body(columns: list[tuple[Column, list[Placed]]], sheet: Sheet) -> Iterator[str]:
    number = 0
    for column, cells in columns:
        parts = [cells[start : start + sheet.rows] for start in range(0, len(cells), sheet.rows)] or [[]]
        x = MARGIN + number * (sheet.width + COLUMN_GAP)
        yield from _column_head(x, column, len(parts) * (sheet.width + COLUMN_GAP) - COLUMN_GAP)
        for part in parts:
            yield from _cells(MARGIN + number * (sheet.width + COLUMN_GAP), part, sheet.width)
            number += 1


def _placed(column: Column) -> Iterator[Placed]:
    for family in column.families:
        yield Placed(family.cell, is_sub=False)
        if family.is_open:
            yield from (Placed(sub, is_sub=True) for sub in family.subs)


def _summary(matrix: Matrix) -> str:
    proven = f"{matrix.proven} proven, {matrix.tested} tested" if matrix.tested else "none tested yet"
    left = f"{matrix.shown} of {matrix.total} techniques shown. " if matrix.shown < matrix.total else ""
    return f"{left}{matrix.claimed} of {matrix.total} claimed, {proven}"


def _heading(drawn: Assembly, matrix: Matrix, whole: float) -> Iterator[str]:
    yield words(MARGIN, 46, "ATT&CK coverage", 26, bold=True)
    release = drawn.facts.release or "no release"
    yield words(
        MARGIN,
        70,
        f"{release}   as of {drawn.facts.now_is:%-d %b %Y, %H:%M} UTC   {_summary(matrix)}",
        14,
        fill="#4e5866",
    )
    x: float = MARGIN
    for laying in matrix.layings:
        overlay = laying.overlay
        said = f"{overlay.name}: {laying.total} marked, {laying.claimed} claimed, {laying.proven} proven"
        shown = fitting(said, 380, 13)
        if x + 24 + width_of(shown, 13) > whole - MARGIN:
            return
        yield _letter(x, 82, overlay.letter, size=14)
        yield words(x + 20, 94, shown, 13)
        x += 40 + width_of(shown, 13)


def _column_head(x: float, column: Column, width: float) -> Iterator[str]:
    # Bold is wider than what `fitting` reckons with.
    yield words(x, 120, fitting(column.name, width / 1.08, 12), 12, bold=True)
    yield words(x, 134, f"claimed {column.claimed} of {column.total}", TEXT_SIZE, fill="#4e5866")
    yield words(x, 147, f"proven {column.proven} of {column.total}", TEXT_SIZE, fill="#4e5866")
    yield rect(x, 152, width, 1, "#c3cad3")


def _cells(x: float, cells: list[Placed], width: float) -> Iterator[str]:
    for row, placed in enumerate(cells):
        indent = INDENT if placed.is_sub else 0
        yield from _cell(x + indent, HEAD + row * (CELL + GAP), width - indent, placed.cell)


def _cell(x: float, y: float, width: float, cell: Cell) -> Iterator[str]:
    unknown = "is-unknown" in cell.look
    faded = ' opacity=".4"' if "is-dim" in cell.look else ""
    yield f"<g{faded}><title>{text(f'{cell.name}: {cell.facts}')}</title>"
    yield rect(x, y, width, CELL, "#ffffff", stroke="#14191f" if cell.marks else "#c3cad3", dashed=unknown)
    letters = 12 * len(cell.marks)
    for line, said in enumerate(lines(cell.name, width - 10, width - 10 - letters, TEXT_SIZE)):
        yield words(x + 5, y + 12.5 + 12 * line, said, TEXT_SIZE)
    for place, mark in enumerate(cell.marks):
        yield _letter(x + width - 3 - letters + 12 * place, y + 17, mark.letter, hollow=mark.below)
    top, half = y + CELL - STRIP, width / 2
    if unknown:
        yield rect(x + 0.5, top, width - 1, STRIP - 0.5, "url(#hatch)")
    else:
        yield rect(x + 0.5, top, half - 1, STRIP - 0.5, FILLS[cell.shade])
        yield words(x + 5, top + 10, cell.rules, 10, bold=True, fill=INK[cell.shade])
        yield from _proof(x + half, top, half - 0.5, cell)
    if cell.review:
        yield f'<path d="M{x + width - 7:.1f} {y}h7v7z" fill="#6338ae"/>'
    yield "</g>"


def _proof(x: float, y: float, width: float, cell: Cell) -> Iterator[str]:
    if not cell.proof:
        yield words(x + width - 5, y + 10, "–", 10, anchor="end", fill="#626c7a")
        return
    yield _proof_fill(x, y, width, STRIP - 0.5, cell.proof_look)
    if cell.proof_look in OVER:
        yield rect(x, y, 14, STRIP - 0.5, f"url(#{OVER[cell.proof_look]})")
    ink = INK.get(cell.proof_look, "#14191f")
    yield words(x + width - 5, y + 10, cell.proof, 10, bold=True, anchor="end", fill=ink)


def _proof_fill(x: float, y: float, width: float, height: float, look: str) -> str:
    """The ground of a proven half: framed by dashes where nothing is proven, only attested."""
    fill = FILLS.get(look, "#ffffff")
    if look == "v-attested":
        return rect(x + 0.5, y + 0.5, width - 1, height - 1, fill, stroke=FILLS["v-validated"], dashed=True)
    return rect(x, y, width, height, fill)


def _legend(bottom: float, whole: float, *, tested: bool) -> Iterator[str]:
    """What the looks mean, in as many lines as the picture is narrow; the last one stands at `bottom`."""
    parts = [(look, label) for look, label in CLAIMED.items()] + [("hatch", "Nothing known"), ("", SIDES)]
    rows: list[list[tuple[float, str, str]]] = [[]]
    x: float = MARGIN
    for look, label in (list(PROVEN.items()) if tested else []) + parts:
        width = width_of(label, 12) + (50 if look else 0)
        if rows[-1] and x + width > whole - MARGIN:
            rows.append([])
            x = MARGIN
        rows[-1].append((x, look, label))
        x += width
    top = bottom - LINE * (len(rows) - 1)
    for row, entries in enumerate(rows):
        for place, look, label in entries:
            yield from _entry(place, top + LINE * row, look, label)


def _entry(x: float, y: float, look: str, label: str) -> Iterator[str]:
    """One entry of the legend: the sample of a look, and what it means."""
    if not look:
        yield words(x, y, label, 12, fill="#4e5866")
        return
    if look == "v-attested":
        yield _proof_fill(x, y - 11, 22, 13, look)
    else:
        yield rect(x, y - 11, 22, 13, "url(#hatch)" if look == "hatch" else FILLS[look], stroke="#c3cad3")
    if look in OVER:
        yield rect(x, y - 11, 22, 13, f"url(#{OVER[look]})")
    yield words(x + 28, y, label, 12)


def _letter(x: float, y: float, letter: str, *, hollow: bool = False, size: float = 11) -> str:
    colour = OVERLAYS[letter]
    box = rect(x, y, size, size, "#ffffff" if hollow else colour, stroke=colour)
    return box + words(
        x + size / 2,
        y + size - 2.5,
        letter,
        size - 2,
        bold=True,
        anchor="middle",
        fill=colour if hollow else "#ffffff",
    )
