"""JSON files read piece by piece: msgspec finds the pieces, one broken piece does not cost the others.

`msgspec.Raw` is a view into the file's bytes, so a list of 13,000 rows costs almost nothing until a row is decoded.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from imports.readers.fields import Fields
from imports.upstream import ParseError

Value = TypeVar("Value")

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BYTE = re.compile(r"\(byte (\d+)\)")
_KINDS = {ord("{"): "an object", ord("["): "a list", ord('"'): "text", ord("n"): "nothing"}
_KINDS |= {ord("t"): "true", ord("f"): "false"}

_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list_decoder = msgspec.json.Decoder(list[msgspec.Raw])
_values_decoder = msgspec.json.Decoder(dict[str, object])


def load_members(data: bytes) -> dict[str, msgspec.Raw]:
    """The members of the object that a JSON file holds, not decoded yet; of a repeated key the last.

    Raises ParseError, with the line where it is known, for a file that is not UTF-8 JSON, or not an object.
    """
    data = data.removeprefix(_BYTE_ORDER_MARK)
    try:
        return _object_decoder.decode(data)
    except msgspec.ValidationError as error:
        raise ParseError(f"expected an object at the top level, found {_kind(data)}") from error
    except msgspec.DecodeError as error:
        raise _malformed(data, error) from error
    except RecursionError as error:
        raise ParseError("the JSON is nested too deeply") from error


def load_items(members: dict[str, msgspec.Raw], key: str) -> list[msgspec.Raw]:
    """The items of the list at `key`, not decoded yet. Raises ParseError when there is no such list."""
    return _member(_list_decoder, members, key, "a list")


def load_object(members: dict[str, msgspec.Raw], key: str) -> dict[str, msgspec.Raw]:
    """The members of the object at `key`, not decoded yet. Raises ParseError when there is no such object."""
    return _member(_object_decoder, members, key, "an object")


def load_fields(raw: msgspec.Raw, at: str = "") -> Fields:
    """One object, decoded. Raises ParseError when it is something else, or when its text is not UTF-8."""
    try:
        return Fields(_values_decoder.decode(raw), at)
    except msgspec.ValidationError as error:
        place = f" at `{at}`" if at else ""
        raise ParseError(f"expected an object, found {_kind(bytes(raw))}{place}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ParseError(f"not JSON: {error}") from error


def _member(decoder: msgspec.json.Decoder[Value], members: dict[str, msgspec.Raw], key: str, expected: str) -> Value:
    raw = members.get(key)
    if raw is None:
        raise ParseError(f"expected {expected}, found nothing at `{key}`")
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise ParseError(f"expected {expected}, found {_kind(bytes(raw))} at `{key}`") from error


def _malformed(data: bytes, error: msgspec.DecodeError) -> ParseError:
    if not data.strip():
        return ParseError("not JSON: the file is empty")
    if data.lstrip()[:1] == b"<":
        return ParseError("not JSON: the file is a web page or XML")
    place = _BYTE.search(str(error))
    line = data.count(b"\n", 0, int(place[1])) + 1 if place else None
    return ParseError(f"not JSON: {error}", line=line)


def _kind(data: bytes) -> str:
    return _KINDS.get(data.lstrip()[:1][0] if data.strip() else 0, "a number")
