"""Where sentences start and end."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

LONGEST: Final = 1000
"""A text without full stops is cut into pieces of about this many characters: nothing further away is context."""

# Every repeat is bounded or consumed: a megabyte of full stops or of spaces takes no longer than one of words.
_BREAK: Final = re.compile(
    r"(?<![.!?])[.!?\u3002\uff01\uff1f]{1,10}[\"'\u2019\u201d)\]]{0,4}\s+"
    r"|\n[ \t\r]{0,80}\n\s*|\n[ \t]{0,80}(?=[-*\u2022\u25aa\d])"
)
_ABBREVIATION: Final = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|al|Inc|Ltd|Corp|Co|Dr|Mr|Mrs|Ms|St|No|Fig|approx|Jan|Feb|Mar|Apr|Aug|Sept|Sep|Oct|Nov|Dec"
    r"|Gen|Sen|Rep|Lt|Col|v|ver)|\b[A-Z](?:\.[A-Z])*)\Z"
)


class Sentences:
    """The sentences of one text, by position."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        self._ends: list[int] = []
        for match in _BREAK.finditer(text):
            if "\n\n" in match[0] or not self._goes_on(text, match):
                self._add(match.start() + len(match[0].rstrip()), match.end(), text)
        self._add(len(text.rstrip()), len(text), text)
        self._starts.pop()

    def index(self, position: int) -> int:
        """The number of the sentence that holds a position."""
        return bisect_right(self._starts, position) - 1

    def span(self, index: int) -> tuple[int, int]:
        """Where a sentence starts and ends."""
        return self._starts[index], self._ends[index]

    def __len__(self) -> int:
        return len(self._starts)

    def _add(self, end: int, following: int, text: str) -> None:
        start = self._starts[-1]
        while end - start > LONGEST:
            space = text.rfind(" ", start + LONGEST // 2, start + LONGEST)
            cut = space + 1 if space > 0 else start + LONGEST
            self._ends.append(cut)
            self._starts.append(cut)
            start = cut
        self._ends.append(max(start, end))
        self._starts.append(following)

    @staticmethod
    def _goes_on(text: str, match: re.Match[str]) -> bool:
        """Whether what looks like an end is none: an abbreviation, or a small letter follows."""
        following = text[match.end() : match.end() + 1]
        if match[0].lstrip().startswith(".") and following.islower():
            return True
        return match[0].startswith(".") and bool(_ABBREVIATION.search(text, max(0, match.start() - 12), match.start()))
