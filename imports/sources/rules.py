"""What the projects that publish detection rules have in common: technique ids, severities and dates."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from imports.readers.fields import Fields

SEVERITIES: Final = ("informational", "low", "medium", "high", "critical")

_TECHNIQUE: Final = re.compile(r"T[0-9]{4}(\.[0-9]{3})?")
_DATE: Final = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})")


def technique_id(text: str) -> str | None:
    """The ATT&CK technique id that `text` is, upper-cased ("T1059.001"), or None when it is none."""
    known = text.strip().upper()
    return known if _TECHNIQUE.fullmatch(known) else None


def severity(rule: Fields, key: str) -> str:
    """The severity at `key`, one of SEVERITIES, or "" when upstream gives none. Raises ParseError for any other word."""
    published = rule.optional_text(key)
    known = published.strip().lower()
    if known and known not in SEVERITIES:
        rule.refuse(f"unknown severity {published!r}, expected one of {', '.join(SEVERITIES)}", key)
    return known


def iso_date(text: str) -> str | None:
    """ "2024/1/31" and "2024-01-31" as "2024-01-31", "" as "", and None for text that is no date."""
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None if text.strip() else ""
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        return None
