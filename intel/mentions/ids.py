"""ATT&CK ids and CVE ids in a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from intel.mentions.terms import OldId
from intel.mentions.tokens import Tokens
from intel.mentions.words import NUMBERED

IdKind = Literal["technique", "actor", "software", "tactic", "cve"]

CVE: Final = re.compile(r"(?i:CVE)[-\u2010-\u2013_ ](\d{4})[-\u2010-\u2013_](\d{4,19})(?![^\W_])")
SHAPES: Final = re.compile(r"(?:t\d{4}|ta\d{4}|[gs]\d{4})\Z")
_KINDS: Final[Mapping[str, IdKind]] = {"t": "technique", "g": "actor", "s": "software"}


@dataclass(frozen=True, slots=True)
class IdHit:
    """An id at words `first` to `last`: what it is, the current key, how sure, and why."""

    first: int
    last: int
    kind: IdKind
    key: str
    confidence: float
    reason: str


class Ids:
    """The ids that exist: current ones by kind, and old technique ids with what they mean now."""

    def __init__(self, current: frozenset[str], old: Mapping[str, OldId]) -> None:
        self._current = current
        self._old = {old_id: meaning for old_id, meaning in old.items() if old_id not in current}

    def roots(self) -> set[str]:
        """The words, in lower case, with which ids begin."""
        known = {key.partition(".")[0].lower() for key in [*self._current, *self._old]}
        return {word for word in known if SHAPES.match(word)} | {"cve"}

    def at(self, text: str, tokens: Tokens, index: int) -> IdHit | None:
        """The id that starts with a word of the text, or None."""
        if tokens.lower[index] == "cve":
            return _cve(text, tokens, index)
        if not SHAPES.match(tokens.lower[index]):
            return None
        kind: IdKind = "tactic" if tokens.lower[index].startswith("ta") else _KINDS[tokens.lower[index][0]]
        return self._technique(tokens, index) if kind == "technique" else self._object(tokens, index, kind)

    def _technique(self, tokens: Tokens, index: int) -> IdHit | None:
        key, last = tokens.words[index].upper(), index
        if _sub_follows(tokens, index):
            key, last = f"{key}.{tokens.words[index + 1]}", index + 1
        meaning = self._meaning(key)
        if meaning is None:
            return None
        confidence, reason = self._judged(tokens, index, last, *meaning[1:])
        return IdHit(index, last, "technique", meaning[0], confidence, reason)

    def _meaning(self, key: str) -> tuple[str, float, str] | None:
        if key in self._current:
            return key, 1.0, "ATT&CK id"
        if old := self._old.get(key):
            return old.key, 1.0, f"old ATT&CK id {key}, now {old.key} ({old.how})"
        return None

    @staticmethod
    def _judged(tokens: Tokens, first: int, last: int, confidence: float, reason: str) -> tuple[float, str]:
        if _is_linked(tokens, first):
            return confidence, f"{reason} in a link or tag"
        if _is_numbered(tokens, first, last):
            return 0.2, "looks like a part number"
        if tokens.words[first][0] == "t":
            return 0.4, f"{reason} in small letters"
        return confidence, reason

    def _object(self, tokens: Tokens, index: int, kind: IdKind) -> IdHit | None:
        key = tokens.words[index].upper()
        if key not in self._current or (tokens.words[index] != key and not _is_linked(tokens, index)):
            return None
        numbered = _is_numbered(tokens, index, index) and not _is_linked(tokens, index)
        return IdHit(
            index, index, kind, key, 0.2 if numbered else 1.0, "looks like a number" if numbered else "ATT&CK id"
        )


def _sub_follows(tokens: Tokens, index: int) -> bool:
    """Whether ".001" follows, or "/001" as in the addresses of ATT&CK."""
    following = index + 1
    if following == len(tokens.words) or tokens.gaps[following] not in {".", "/"}:
        return False
    number = tokens.words[following]
    return len(number) == 3 and number.isascii() and number.isdigit()


def _is_linked(tokens: Tokens, index: int) -> bool:
    """Whether an id stands in a link to ATT&CK, or in a tag like attack.t1059."""
    if index == 0:
        return False
    before, gap = tokens.lower[index - 1], tokens.gaps[index]
    return (gap == "/" and before in {"techniques", "tactics", "groups", "software"}) or (
        gap in {".", "-", "_", ":"} and before in {"attack", "mitre", "technique", "ttp"}
    )


def _is_numbered(tokens: Tokens, first: int, last: int) -> bool:
    """Whether an id is somebody's own number: after "part", or glued to more of it ("XR-T1059-B")."""
    if first >= 3 and tokens.lower[first - 1] in {"and", "or"} and SHAPES.match(tokens.lower[first - 2]):
        first -= 2  # "parts T1055 and T1059"
    before = tokens.lower[first - 1] if first else ""
    gap_before = tokens.gaps[first]
    if before in NUMBERED and gap_before.strip() in {"", "#", ":", ".", "-", "\u2116"}:
        return True
    if gap_before == "-" and first and (len(before) <= 3 or any(map(str.isdigit, before))):
        return not _ends_an_id(tokens, first - 1)
    if last + 1 == len(tokens.words) or tokens.gaps[last + 1] != "-":
        return False
    after = tokens.words[last + 1]
    return len(after) <= 2 or after.isdigit()


def _ends_an_id(tokens: Tokens, index: int) -> bool:
    """Whether a word is an id or the number of a sub-technique, as in a range of ids."""
    return bool(SHAPES.match(tokens.lower[index]) or (index and SHAPES.match(tokens.lower[index - 1])))


def _cve(text: str, tokens: Tokens, index: int) -> IdHit | None:
    match = CVE.match(text, tokens.starts[index])
    if match is None or not "1999" <= match[1] <= "2100":
        return None
    key = f"CVE-{match[1]}-{match[2]}"
    return IdHit(index, index + 2, "cve", key, 1.0, "CVE id") if key.isascii() else None
