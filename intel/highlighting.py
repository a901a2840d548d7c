"""An item's text in runs, each plain or one mention: what a page needs to mark them without touching the text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from intel.models import Mention


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of text; `mention` is None for what is not marked."""

    text: str
    mention: Mention | None = None


def runs(text: str, mentions: Iterable[Mention], start: int = 0, end: int | None = None) -> list[Run]:
    """`text` from `start` to `end`. Of mentions that overlap the surer one is marked, of equals the longer."""
    end = len(text) if end is None else min(end, len(text))
    found: list[Run] = []
    place = start
    for mention in _apart(mentions, start, end):
        if mention.start > place:
            found.append(Run(text[place : mention.start]))
        found.append(Run(text[mention.start : mention.end], mention))
        place = mention.end
    return [*found, Run(text[place:end])] if place < end else found


def _apart(mentions: Iterable[Mention], start: int, end: int) -> list[Mention]:
    kept: list[Mention] = []
    for mention in sorted(mentions, key=lambda one: (-one.confidence, one.start - one.end, one.start)):
        inside = start <= mention.start < mention.end <= end
        if inside and all(mention.end <= other.start or other.end <= mention.start for other in kept):
            kept.append(mention)
    return sorted(kept, key=lambda one: one.start)
