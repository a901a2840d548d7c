"""TOML text to plain values: `tomli` behind bounds, because its cost and memory grow with the square of some inputs."""

from __future__ import annotations

import re

import tomli

from imports.upstream import ParseError

MAX_CHARACTERS = 1_500_000
MAX_LINE = 64 * 1024
MAX_KEY_PARTS = 20

_PART = r"""(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_.-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_KEY_PARTS}}}")
_MANY_DOTS = re.compile(rf"^(?:[^.\n]*+\.){{{MAX_KEY_PARTS}}}.*", re.MULTILINE)
_LONG_LINE = re.compile(rf"^.{{{MAX_LINE + 1}}}", re.MULTILINE)
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def load_toml(text: str) -> dict[str, object]:
    """The document's table: str, int, float, bool, dates and times, lists and dicts of them.

    Raises ParseError, with the line where known, for text that is not TOML, beyond 1.5 million characters, lines of 64 kB or
    dotted names of 20 parts, and for nesting that Python's recursion limit does not allow. A line break in a text is "\\n",
    also where the file has CRLF: TOML leaves that to its readers.
    """
    if len(text) > MAX_CHARACTERS:
        raise ParseError(f"the file has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read")
    _refuse_costly_lines(text)
    try:
        return tomli.loads(text)
    except RecursionError as error:
        raise ParseError("not readable: nested too deep") from error
    except ValueError as error:
        raise _not_toml(str(error), text) from error


def _refuse_costly_lines(text: str) -> None:
    if found := _LONG_LINE.search(text):
        raise ParseError(f"a line of more than {MAX_LINE:,} characters is not accepted", line=_line(text, found))
    for found in _MANY_DOTS.finditer(text):
        if _LONG_KEY.search(found[0]):
            message = f"a dotted name of more than {MAX_KEY_PARTS} parts is not accepted"
            raise ParseError(message, line=_line(text, found))


def _line(text: str, found: re.Match[str]) -> int:
    return text.count("\n", 0, found.start()) + 1


def _not_toml(message: str, text: str) -> ParseError:
    place = _PLACE.search(message)
    line = int(place[1] or text.count("\n") + 1) if place else None
    return ParseError(f"not TOML: {_PLACE.sub('', message)}", line=line)
