"""YAML text to plain values: one bounded pass over libyaml's events, no aliases, no anchors, no tags.

What differs from `yaml.CSafeLoader`, so that text comes out as upstream wrote it and hostile input ends in a ParseError:

- An unquoted number is a number only where `str(number)` is what the file says (`7`, `-1`, `1.5`). `010`, `1:30`, `1_000`,
  `1.10`, `1e3`, `.inf` and numbers of more than 18 digits stay text.
- Only `true` and `false` are booleans; `True`, `yes`, `on` stay text. Null is empty, `~`, `null`, `Null` or `NULL`.
- Dates and times stay text ("2024-01-31"), and so do keys: `1:` is the key "1". A collection cannot be a key.
- A repeated key, a merge key (`<<`), an alias, an anchor and a tag are refused.

Events are read one at a time and nesting is counted before it is followed, so that a hostile file never reaches libyaml's
composer, whose recursion ends the process at some thousand levels.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from imports.upstream import ParseError

MAX_DEPTH = 32
MAX_VALUES = 50_000
MAX_DOCUMENTS = 200
MAX_CHARACTERS = 8_000_000

# The stubs give events neither `anchor` nor `tag`; testing the class of each event for them would cost a third of the time.
_Event = Any

_CONSTANTS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "false": False,
}
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its value, and where its top-level keys stand (as offsets) in the text it was read from."""

    value: object
    text: str
    starts: dict[str, int]
    end: int

    @property
    def lines(self) -> dict[str, int]:
        """The line of each top-level key, counted from 1."""
        return {key: line_at(self.text, start) for key, start in self.starts.items()}

    def section(self, key: str) -> str:
        """The text from the top-level `key` to the next one or the document's end, comments and line breaks as they are."""
        start = self.starts[key]
        return self.text[start : min((other for other in self.starts.values() if other > start), default=self.end)]


def load_yaml(text: str) -> object:
    """The value of the only document in `text`: None, bool, int, float, str, list or dict with text keys.

    Raises ParseError with the line for anything but exactly one document, and for all that `read_documents` refuses.
    """
    documents = load_documents(text)
    if len(documents) != 1:
        raise ParseError(f"expected one YAML document, found {len(documents) or 'none'}")
    return documents[0]


def load_documents(text: str) -> list[object]:
    """The values of all documents in `text`, in order; an empty file has none. Raises what `read_documents` raises."""
    return [document.value for document in read_documents(text)]


def read_documents(text: str) -> list[Document]:
    """All documents in `text`, in order; an empty file has none.

    Raises ParseError with the line for text that is not YAML, for what the module's docstring names, and beyond 32 levels,
    50,000 values, 200 documents or 8 million characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise ParseError(f"the file has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    text = text.removeprefix("\ufeff")
    try:
        return _Documents(text).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (
            min(mark.line + 1, len(text.splitlines())) if mark else None
        )  # libyaml's last line is the one after the text
        raise ParseError(f"not YAML: {error.problem or error.context}", line=line) from error
    except yaml.reader.ReaderError as error:
        line = text.encode().count(b"\n", 0, error.position) + 1
        raise ParseError(f"not YAML: {error.reason} (U+{error.character:04X})", line=line) from error
    except UnicodeEncodeError as error:
        raise ParseError("not Unicode text: a lone surrogate", line=line_at(text, error.start)) from error


def line_at(text: str, offset: int) -> int:
    """The line of the character at `offset`, counted from 1."""
    return text.count("\n", 0, offset) + 1


class _Documents:
    """Builds values from the events of one text. The nesting of its calls is bounded by MAX_DEPTH."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next: Callable[[], _Event] = yaml.CSafeLoader(text).get_event
        self._values = 0
        self._starts: dict[str, int] = {}

    def read(self) -> list[Document]:
        documents: list[Document] = []
        self._next()
        while type(event := self._next()) is yaml.DocumentStartEvent:
            if len(documents) == MAX_DOCUMENTS:
                _refuse(event, f"more than {MAX_DOCUMENTS} documents in one file")
            self._starts = {}
            value = self._value(self._next(), 0)
            documents.append(Document(value, self._text, self._starts, self._next().start_mark.index))
        return documents

    def _value(self, event: _Event, depth: int) -> object:
        self._accept(event)
        kind = type(event)
        if kind is yaml.ScalarEvent:
            return event.value if event.style else _plain(event.value)
        if depth == MAX_DEPTH:
            _refuse(event, f"nested deeper than {MAX_DEPTH} levels")
        return self._mapping(depth + 1) if kind is yaml.MappingStartEvent else self._sequence(depth + 1)

    def _accept(self, event: _Event) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            _refuse(event, f"more than {MAX_VALUES:,} values in one file")
        if event.anchor is not None:
            sign = "alias *" if type(event) is yaml.AliasEvent else "anchor &"
            _refuse(event, f"the {sign}{event.anchor} is not accepted: write the value out")
        if event.tag is not None:
            _refuse(event, f"the tag {event.tag} is not accepted")

    def _sequence(self, depth: int) -> list[object]:
        items: list[object] = []
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            items.append(self._value(event, depth))
        return items

    def _mapping(self, depth: int) -> dict[str, object]:
        mapping: dict[str, object] = {}
        while type(event := self._next()) is not yaml.MappingEndEvent:
            key = self._key(event)
            if key in mapping:
                _refuse(event, f"the key {key!r} is there twice")
            if depth == 1:
                self._starts[key] = event.start_mark.index
            mapping[key] = self._value(self._next(), depth)
        return mapping

    def _key(self, event: _Event) -> str:
        self._accept(event)
        if type(event) is not yaml.ScalarEvent:
            _refuse(event, "a key must be text")
        if event.value == "<<" and not event.style:
            _refuse(event, "the merge key << is not accepted: write the values out")
        key: str = event.value
        return key


def _refuse(event: _Event, message: str) -> NoReturn:
    raise ParseError(message, line=event.start_mark.line + 1)


def _plain(text: str) -> object:
    """An unquoted scalar: a constant, a number whose text is `text`, or `text` itself."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    found = _NUMBER.fullmatch(text)
    if found is None:
        return text
    number = float(text) if found[1] else int(text)
    return number if str(number) == text else text
