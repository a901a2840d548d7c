"""What a site's robots.txt allows us (RFC 9309), from bytes that we fetched ourselves."""

from __future__ import annotations

from typing import Final
from urllib.robotparser import RobotFileParser

NAME: Final = "Aegis"
_LONGEST: Final = 500 * 1024


def may_fetch(robots: bytes, url: str) -> bool:
    """Whether `robots` lets Aegis fetch `url`. What cannot be read as rules forbids nothing."""
    rules = RobotFileParser()
    rules.parse(robots[:_LONGEST].decode("utf-8", "replace").splitlines())
    return rules.can_fetch(NAME, url)
