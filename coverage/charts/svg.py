"""Shapes and texts of SVG, with every text escaped and cut to where it fits."""

from __future__ import annotations

import re
from html import escape
from typing import Final

UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
WIDE: Final = re.compile("[A-Zmw@%&]")
NARROW: Final = re.compile("[ijlrtfI .,:;'()/-]")
INK: Final = "#14191f"


def text(said: str) -> str:
    """A text as XML can hold it."""
    return escape(UNPRINTABLE.sub("", said))


def rect(x: float, y: float, width: float, height: float, fill: str, *, stroke: str = "", dashed: bool = False) -> str:
    """A rectangle."""
    dashes = ' stroke-dasharray="3 2"' if dashed else ""
    line = f' stroke="{stroke}"{dashes}' if stroke else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0, width):.1f}" height="{height:.1f}" fill="{fill}"{line}/>'


def words(
    x: float, y: float, said: str, size: float, *, bold: bool = False, anchor: str = "start", fill: str = INK
) -> str:
    """A line of text, its baseline at `y`."""
    weight = ' font-weight="700"' if bold else ""
    side = f' text-anchor="{anchor}"' if anchor != "start" else ""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"'
    return f'<text {place}{weight}{side} xml:space="preserve">{text(said)}</text>'


def fitting(said: str, width: float, size: float) -> str:
    """The text, cut with an ellipsis where it would be wider than `width`."""
    if width_of(said, size) <= width:
        return said
    while said and width_of(f"{said}…", size) > width:
        said = said[:-1]
    return f"{said.rstrip()}…"


def lines(said: str, width: float, last_width: float, size: float) -> list[str]:
    """The text on one line or two, broken between words, and cut where it would not fit; the second is `last_width` wide."""
    if width_of(said, size) <= width:
        return [said]
    first, rest = "", said.split(" ")
    while rest and width_of(f"{first} {rest[0]}".strip(), size) <= width:
        first = f"{first} {rest.pop(0)}".strip()
    return [first, fitting(" ".join(rest), last_width, size)] if first else [fitting(said, width, size)]


def width_of(said: str, size: float) -> float:
    """About how wide a text is drawn."""
    wide, narrow = len(WIDE.findall(said)), len(NARROW.findall(said))
    return size * (0.78 * wide + 0.3 * narrow + 0.56 * (len(said) - wide - narrow))
