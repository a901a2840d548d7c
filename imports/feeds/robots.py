"""What a site's robots.txt allows us (RFC 9309), from bytes that we fetched ourselves.

urllib.robotparser takes the first rule that fits, and `*` and `$` in a rule for themselves: it allows what a site forbids.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

NAME: Final = "aegis"
_LONGEST: Final = 500 * 1024
_KEPT: Final = "/~:@!$&'()*+,;=-._?"

Rule = tuple[bool, str]
"""Whether it allows, and the pattern."""


def may_fetch(robots: bytes, url: str) -> bool:
    """Whether `robots` lets Aegis fetch `url`: the longest rule that fits decides. What cannot be read forbids nothing."""
    parts = urlsplit(url)
    path = _spelled(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
    fitting = [(len(pattern), allows) for allows, pattern in _rules(robots) if _fits(pattern, path)]
    return path == "/robots.txt" or max(fitting, default=(0, True))[1]


def _rules(robots: bytes) -> list[Rule]:
    """The rules for Aegis by name; those for everybody where none are."""
    groups: dict[str, list[Rule]] = {}
    agents: list[str] = []
    begun = False
    for field, value in _lines(robots):
        if field == "user-agent":
            agents = [value.lower()] if begun else [*agents, value.lower()]
            begun = False
            groups.setdefault(value.lower(), [])
        elif field in {"allow", "disallow"}:
            begun = True
            for agent in agents if value else ():
                groups[agent].append((field == "allow", _spelled(value)))
    return groups.get(NAME, groups.get("*", []))


def _lines(robots: bytes) -> Iterator[tuple[str, str]]:
    for line in robots[:_LONGEST].decode("utf-8-sig", "replace").splitlines():
        field, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield field.strip().lower(), value.strip()


def _spelled(path: str) -> str:
    """One spelling for all: what need not be escaped is not, everything else is."""
    return quote(unquote_to_bytes(path), safe=_KEPT)


def _fits(pattern: str, path: str) -> bool:
    """Whether a path begins as a pattern says, where `*` stands for anything, and `$` for the end."""
    ends = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    for other in others[:-1] if ends else others:
        place = path.find(other, place)
        if place < 0:
            return False
        place += len(other)
    if not ends:
        return True
    return len(path) - len(others[-1]) >= place and path.endswith(others[-1]) if others else place == len(path)
