"""Which names inside an archive or folder are wanted, and which may not be used."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from imports.fetchers.limits import Limits

_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")
_GLOB_AS_REGEX = {"**/": "(?:[^/]*/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_DRIVE = re.compile(r"[A-Za-z]:")
_SHOWN = 512


def matcher(patterns: tuple[str, ...]) -> Callable[[str], bool]:
    """A test of a path against glob patterns: `**` crosses folders, `*` and `?` do not. No pattern: nothing matches."""
    regex = re.compile("|".join(_regex(pattern) for pattern in patterns), re.DOTALL)
    return lambda path: bool(patterns) and regex.fullmatch(path) is not None


def _regex(pattern: str) -> str:
    pieces = _GLOB.findall(pattern)
    return "".join(_GLOB_AS_REGEX.get(piece) or re.escape(piece) for piece in pieces)


def trouble(path: str, limits: Limits) -> str:
    """Why a path may not be used, or "" when it may. Nothing is ever written under it: it becomes text that people read."""
    parts = path.split("/")
    if path.startswith("/") or _DRIVE.match(path):
        return "an absolute path"
    if ".." in parts or "." in parts or "" in parts:
        return "a path with empty, `.` or `..` parts"
    if "\\" in path:
        return "a backslash in its name"
    if not path.isascii() and any(unicodedata.category(char) in ("Cf", "Cs", "Zl", "Zp") for char in path):
        return "invisible characters or bytes that are not UTF-8 in its name"
    if any(char < " " or "\x7f" <= char < "\xa0" for char in path):
        return "control characters in its name"
    return _oversize(path, len(parts), limits)


def _oversize(path: str, depth: int, limits: Limits) -> str:
    if len(path.encode()) > limits.path_bytes:
        return f"a path longer than {limits.path_bytes} bytes"
    if depth > limits.path_depth:
        return f"a path deeper than {limits.path_depth} folders"
    return ""


def shown(path: str) -> str:
    """The path as text that can be stored and printed: what cannot be printed is escaped, what is too long is cut."""
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in path[:_SHOWN])
    return text[:_SHOWN]
