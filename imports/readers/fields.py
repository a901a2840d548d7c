"""Typed access to the fields of a loaded mapping: the wrong type is a ParseError that names the field, never a conversion.

`load_yaml` and `load_toml` give plain values; `Fields` reads them as what a parser expects:

    rule = Fields.of(load_yaml(file.text))
    rule.text("title")                       # "expected text, found a list at `title`"
    for threat in rule.each("threat"):
        threat.fields("tactic").text("name")  # "expected text, found nothing at `threat[2].tactic.name`"

A field that is absent and one that is null are the same: upstream published nothing there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from imports.upstream import ParseError

MAX_INTEGER = 10**18
NO_LINES: Mapping[str, int] = {}


class Fields:
    """One mapping, where it stands in its file ("threat[0].tactic"), and the lines of its keys where they are known.

    All methods raise ParseError on a wrong type.
    """

    __slots__ = ("at", "lines", "values")

    def __init__(self, values: Mapping[str, object], at: str = "", lines: Mapping[str, int] = NO_LINES) -> None:
        self.values = values
        self.at = at
        self.lines = lines

    @classmethod
    def of(cls, value: object, at: str = "", lines: Mapping[str, int] = NO_LINES) -> Fields:
        """`value` as Fields, when it is a mapping."""
        return cls(value, at, lines) if isinstance(value, dict) else _unexpected("a mapping", value, at)

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def line(self, key: str) -> int | None:
        """The line of `key`, where it is known."""
        return self.lines.get(key)

    def refuse(self, message: str, key: str) -> NoReturn:
        """Raises ParseError(message) with the place of `key`."""
        raise ParseError(f"{message} at `{self._path(key)}`", line=self.line(key))

    def text(self, key: str) -> str:
        """The text at `key`, exactly as loaded; it must be there and hold more than white space."""
        text = self.optional_text(key)
        return text if text.strip() else self.refuse("expected text, found nothing", key)

    def optional_text(self, key: str) -> str:
        """The text at `key`, or "" when there is none. A number or a boolean is not text; see `written`."""
        value = self.values.get(key)
        if value is None:
            return ""
        return value if isinstance(value, str) else self._unexpected("text", key)

    def written(self, key: str) -> str | None:
        """The scalar at `key` as the upstream YAML file spells it ("4444", "true"); None when there is none."""
        value = self.values.get(key)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str | int | float):
            return str(value)
        return None if value is None else self._unexpected("text or a number", key)

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of the list at `key`, in order; nulls are left out, and an absent list is empty."""
        at = self._path(key)
        return tuple(
            item if isinstance(item, str) else _unexpected("text", item, f"{at}[{index}]", self.line(key))
            for index, item in enumerate(self._list(key))
            if item is not None
        )

    def text_or_texts(self, key: str) -> tuple[str, ...]:
        """Like `texts`, where upstream may also write one text instead of a list."""
        value = self.values.get(key)
        return (value,) if isinstance(value, str) else self.texts(key)

    def flag(self, key: str) -> bool:
        """The boolean at `key`, also in YAML 1.1's other spellings ("True", "yes", "on"); False when there is none."""
        value = self.values.get(key)
        if value is None:
            return False
        known = _FLAGS.get(value.lower()) if isinstance(value, str) else value
        return known if isinstance(known, bool) else self._unexpected("true or false", key)

    def integer(self, key: str) -> int | None:
        """The whole number at `key`, or None when there is none. It has at most 18 digits, so that every database holds it."""
        value = self.values.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < MAX_INTEGER):
            return value
        self._unexpected("a whole number", key)

    def fields(self, key: str) -> Fields:
        """The mapping at `key`; an absent one is empty."""
        value = self.values.get(key)
        if value is None:
            return Fields({}, self._path(key))
        return Fields(value, self._path(key)) if isinstance(value, dict) else self._unexpected("a mapping", key)

    def each(self, key: str) -> list[Fields]:
        """The mappings of the list at `key`, in order; an absent list is empty."""
        at = self._path(key)
        return [Fields.of(item, f"{at}[{index}]") for index, item in enumerate(self._list(key))]

    def _list(self, key: str) -> list[object]:
        value = self.values.get(key)
        if value is None:
            return []
        return value if isinstance(value, list) else self._unexpected("a list", key)

    def _path(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key

    def _unexpected(self, expected: str, key: str) -> NoReturn:
        _unexpected(expected, self.values.get(key), self._path(key), self.line(key))


_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _unexpected(expected: str, value: object, at: str, line: int | None = None) -> NoReturn:
    place = f"at `{at}`" if at else "at the top level"
    raise ParseError(f"expected {expected}, found {_kind(value)} {place}", line=line)


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}" if abs(value) < MAX_INTEGER else "a number that large"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f"a {type(value).__name__}"
