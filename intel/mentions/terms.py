"""What is looked for and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

TermKind = Literal["technique", "actor", "software", "tactic"]
MentionKind = Literal["technique", "actor", "software", "cve"]

CONFIDENT: Final = 0.6
"""A mention of at least this confidence may flag its technique; one below is shown, and does nothing."""


@dataclass(frozen=True, slots=True)
class Term:
    """One name of something: `key` is its ATT&CK id (T1059.001, G0016, S0154, TA0002).

    `tactics` are the names of a technique's tactics: they tell techniques of the same name apart.
    """

    text: str
    kind: TermKind
    key: str
    tactics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OldId:
    """What an id that is not current means: the current `key`, and `how` it was found ("revoked-by", "crosswalk")."""

    key: str
    how: str


@dataclass(frozen=True, slots=True)
class Mention:
    """One place in a text. `start`, `end` and `sentence` count code points; `text` is what is written there.

    `key` is the current ATT&CK id, or the CVE id in capitals. `confidence` is between 0 and 1; `reason` says to people why.
    """

    kind: MentionKind
    key: str
    start: int
    end: int
    text: str
    sentence: tuple[int, int]
    confidence: float
    reason: str
