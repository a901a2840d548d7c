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


class Fields:
    """One mapping and where it stands in its file ("threat[0].tactic"). All methods raise ParseError on a wrong type."""

    __slots__ = ("at", "values")

    def __init__(self, values: Mapping[str, object], at: str = "") -> None:
        self.values = values
        self.at = at

    @classmethod
    def of(cls, value: object, at: str = "") -> Fields:
        """`value` as Fields, when it is a mapping."""
        if isinstance(value, dict):
            return cls(value, at)
        _unexpected("a mapping", value, at)

    def __contains__(self, key: str) -> bool:
        return self.values.get(key) is not None

    def text(self, key: str) -> str:
        """The text at `key`, exactly as loaded; it must be there and hold more than white space."""
        text = self.optional_text(key)
        if not text.strip():
            raise ParseError(f"expected text, found nothing at `{self._path(key)}`")
        return text

    def optional_text(self, key: str) -> str:
        """The text at `key`, or "" when there is none. A number or a boolean is not text; see `written`."""
        value = self.values.get(key)
        if value is None:
            return ""
        return value if isinstance(value, str) else _unexpected("text", value, self._path(key))

    def written(self, key: str) -> str | None:
        """The scalar at `key` as the upstream YAML file spells it ("4444", "true"); None when there is none."""
        value = self.values.get(key)
        return None if value is None else _as_written(value, self._path(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of the list at `key`, in order; nulls are left out, and an absent list is empty."""
        return self._texts(self._list(key), key)

    def text_or_texts(self, key: str) -> tuple[str, ...]:
        """Like `texts`, where upstream may also write one text instead of a list."""
        value = self.values.get(key)
        return (value,) if isinstance(value, str) else self.texts(key)

    def flag(self, key: str) -> bool:
        """The boolean at `key`, also in YAML 1.1's other spellings ("True", "yes", "on"); False when there is none."""
        value = self.values.get(key)
        known = _FLAGS.get(value.lower()) if isinstance(value, str) else value
        if known is None and value is None:
            return False
        return known if isinstance(known, bool) else _unexpected("true or false", value, self._path(key))

    def integer(self, key: str) -> int | None:
        """The whole number at `key`, or None when there is none."""
        value = self.values.get(key)
        if value is None or type(value) is int:
            return value
        _unexpected("a whole number", value, self._path(key))

    def fields(self, key: str) -> Fields:
        """The mapping at `key`; an absent one is empty."""
        value = self.values.get(key)
        return Fields.of({} if value is None else value, self._path(key))

    def each(self, key: str) -> list[Fields]:
        """The mappings of the list at `key`, in order; an absent list is empty."""
        at = self._path(key)
        return [Fields.of(item, f"{at}[{index}]") for index, item in enumerate(self._list(key))]

    def _texts(self, items: list[object], key: str) -> tuple[str, ...]:
        return tuple(
            item if isinstance(item, str) else _unexpected("text", item, f"{self._path(key)}[{index}]")
            for index, item in enumerate(items)
            if item is not None
        )

    def _list(self, key: str) -> list[object]:
        value = self.values.get(key)
        if value is None:
            return []
        return value if isinstance(value, list) else _unexpected("a list", value, self._path(key))

    def _path(self, key: str) -> str:
        return f"{self.at}.{key}" if self.at else key


_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def _as_written(value: object, at: str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else _unexpected("text or a number", value, at)


def _unexpected(expected: str, value: object, at: str) -> NoReturn:
    place = f" at `{at}`" if at else " at the top level"
    raise ParseError(f"expected {expected}, found {_kind(value)}{place}")


def _kind(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}" if abs(value) < 10**18 else "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f"a {type(value).__name__}"
