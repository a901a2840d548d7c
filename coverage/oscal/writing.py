"""JSON in pieces: an object whose lists may still be on their way from the database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

PIECE: Final = 64 * 1024
"""Characters that are sent together."""


def pieces(document: Mapping[str, Any]) -> Iterator[bytes]:
    """The document in UTF-8: each item of an iterator on a line of its own, taken when it is written."""
    waiting: list[str] = []
    length = 0
    for text in _texts(document):
        waiting.append(text)
        length += len(text)
        if length >= PIECE:
            yield "".join(waiting).encode()
            waiting, length = [], 0
    yield "".join([*waiting, "\n"]).encode()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _joined("{", (_member(*item) for item in value.items()), "}")
    elif isinstance(value, Iterator):
        yield from _joined("[", ([_json(item)] for item in value), "]")
    elif isinstance(value, list):
        yield from _joined("[", map(_texts, value), "]")
    else:
        yield _json(value)


def _member(name: str, value: Any) -> Iterator[str]:
    yield f"{_json(name)}: "
    yield from _texts(value)


def _joined(opening: str, members: Iterable[Iterable[str]], closing: str) -> Iterator[str]:
    between = f"{opening}\n"
    for member in members:
        yield between
        yield from member
        between = ",\n"
    yield f"\n{closing}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
