"""What differs between two values of a field, for people: what went, what came, and a little of what stands around it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, Final

TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
MOST_COMPARISONS: Final = 90_000
"""Tokens of one text times tokens of the other: beyond that, one replaces the other as a whole."""
ALIKE: Final = 0.4
"""Two passages that share less than this are shown one after the other: a patchwork of single words tells nothing."""
CONTEXT: Final = 90
"""Characters that stay around a difference."""
LONGEST: Final = 3000
"""Characters of one passage that are shown."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage: `kind` is "same", "gone", "new", or "skipped" (then the text says how much is left out)."""

    kind: str
    text: str

    @property
    def shown(self) -> str:
        """The text, with marks in place of a change that nobody could see."""
        blank = self.kind in {"gone", "new"} and not self.text.strip()
        return self.text.replace(" ", "·").replace("\t", "→").replace("\n", "↵\n") if blank else self.text


def difference(before: Any, after: Any) -> list[Piece]:
    """The way from one value of a field to another; lists are compared item by item."""
    return list(_shortened(pieces(as_text(before), as_text(after))))


def as_text(value: Any) -> str:
    """A value of a column as text: one line per item of a list, `key: value` for what has keys, empty for nothing."""
    if isinstance(value, list):
        return "\n".join(_item(item) for item in value)
    return _item(value)


def _item(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{key}: {_item(one)}" for key, one in value.items() if one not in (None, "", []))
        case list():
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def pieces(before: str, after: str) -> list[Piece]:
    """The difference of two texts: without what is new it reads as `before`, without what is gone as `after`."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = SequenceMatcher(None, old, new)
    found: list[Piece] = []
    for operation, start, end, new_start, new_end in matcher.get_opcodes():
        gone, came = "".join(old[start:end]), "".join(new[new_start:new_end])
        found += [Piece("same", gone)] if operation == "equal" else _replaced(gone, came)
    return _joined(found)


def _replaced(gone: str, came: str) -> list[Piece]:
    old, new = TOKEN.findall(gone), TOKEN.findall(came)
    whole = [Piece("gone", gone), Piece("new", came)]
    if not old or not new or len(old) * len(new) > MOST_COMPARISONS:
        return whole
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if _alike(matcher, old, new) < ALIKE:
        return whole
    found: list[Piece] = []
    for operation, start, end, new_start, new_end in matcher.get_opcodes():
        if operation == "equal":
            found.append(Piece("same", "".join(old[start:end])))
        else:
            found += [Piece("gone", "".join(old[start:end])), Piece("new", "".join(new[new_start:new_end]))]
    return found


def _alike(matcher: SequenceMatcher[str], old: list[str], new: list[str]) -> float:
    """The share of words that both have, from 0 to 1; blanks do not count."""
    words = sum(not token.isspace() for token in [*old, *new])
    shared = sum(
        not token.isspace() for block in matcher.get_matching_blocks() for token in old[block.a :][: block.size]
    )
    return 2 * shared / words if words else 1.0


def _joined(found: Iterable[Piece]) -> list[Piece]:
    """Neighbours of one kind as one, without empty ones."""
    groups = groupby((piece for piece in found if piece.text), key=lambda piece: piece.kind)
    return [Piece(kind, "".join(piece.text for piece in group)) for kind, group in groups]


def _shortened(found: list[Piece]) -> Iterator[Piece]:
    last = len(found) - 1
    for place, piece in enumerate(found):
        if piece.kind == "same":
            yield from _context(piece.text, before=place > 0, after=place < last)
        elif len(piece.text) > LONGEST:
            yield Piece(piece.kind, piece.text[:LONGEST])
            yield _skipped(piece.text[LONGEST:])
        else:
            yield piece


def _context(text: str, *, before: bool, after: bool) -> Iterator[Piece]:
    """The ends of an unchanged passage that touch a difference."""
    head, tail = before * CONTEXT, after * CONTEXT
    if len(text) <= head + tail + CONTEXT:
        yield Piece("same", text)
        return
    end = _line_end(text[:head])
    start = len(text) - tail + _line_start(text[len(text) - tail :])
    if before:
        yield Piece("same", text[:end])
    yield _skipped(text[end:start])
    if after:
        yield Piece("same", text[start:])


def _line_end(head: str) -> int:
    """Where to stop after a difference: behind a whole line if there is one."""
    return head.rfind("\n") + 1 or len(head)


def _line_start(tail: str) -> int:
    """Where to go on before a difference: at a whole line if there is one."""
    start = tail.find("\n") + 1
    return start if start < len(tail) else 0


def _skipped(text: str) -> Piece:
    lines = len(text.splitlines())
    return Piece("skipped", f"{lines:,} lines" if lines > 1 else f"{len(text):,} characters")
