"""A text as words and what stands between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

WORD: Final = re.compile(r"([^\W_]+)")
JOINTS: Final = frozenset({"", "-", "_", "\u2010", "\u2011", "\u00ad"})
"""What may stand for the space in a name, beside white space. A name is not broken over two paragraphs."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a text: as written, in lower case, and where each starts. `gaps[i]` stands before word i."""

    words: list[str]
    lower: list[str]
    starts: list[int]
    gaps: list[str]

    @classmethod
    def of(cls, text: str) -> Tokens:
        """The words of `text`; letters and digits of any script make words."""
        parts = WORD.split(text)
        words = parts[1::2]
        ends = list(accumulate(map(len, parts)))
        return cls(words, [word.lower() for word in words], ends[0:-1:2], parts[0::2])

    def end(self, index: int) -> int:
        """Where a word ends."""
        return self.starts[index] + len(self.words[index])


def is_joint(gap: str) -> bool:
    """Whether a gap may stand inside a name: a space or two, a line's end, a hyphen."""
    return len(gap) <= 6 and gap.strip() in JOINTS and gap.count("\n") < 2
