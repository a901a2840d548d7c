"""Reads the labelled sentences: what is written, and what an analyst would file of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("mentions_labelled.txt")
TUNED: Final = "# Written after a second look: the rules of 2026-11-22 were tuned on these"
LAST: Final = "# Written last: all of these are held out"
LABEL: Final = re.compile(r"\[([^][]+)\]\(((?:[TGS]\d{4}(?:\.\d{3})?|CVE-\d{4}-\d+))\)")


@dataclass(frozen=True, slots=True)
class Label:
    """What stands at a place: the key of a technique, an actor, software, or a CVE id."""

    start: int
    end: int
    key: str


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled text, and the line of the file on which it stands.

    `held_out` is every fourth item, and all those that were written last, after the tuning: see the heads in the file.
    """

    line: int
    text: str
    labels: tuple[Label, ...]
    held_out: bool


def items() -> list[Item]:
    """All labelled items, in the order of the file."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    tuned, last = lines.index(TUNED) + 1, lines.index(LAST) + 1
    marked = [(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("# ")]
    return [
        _item(number, line, held_out=number > last or (index % 4 == 3 and number < tuned))
        for index, (number, line) in enumerate(marked)
    ]


def _item(number: int, marked: str, *, held_out: bool) -> Item:
    text, labels, done = "", [], 0
    for match in LABEL.finditer(marked):
        text += marked[done : match.start()]
        labels.append(Label(len(text), len(text) + len(match[1]), match[2]))
        text += match[1]
        done = match.end()
    return Item(number, text + marked[done:], tuple(labels), held_out)
