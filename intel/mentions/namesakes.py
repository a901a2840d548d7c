"""Places and people that are called as an actor or a malware is: by the words right beside the name."""

from __future__ import annotations

from typing import Final

from intel.mentions.context import Surroundings
from intel.mentions.lexicon import Hit
from intel.mentions.words import ACTOR_WORDS, ATTACKERS, CYBER, HOSTILE, PLACES, SOFTWARE_WORDS, TECHNICAL, TITLES

_THERE: Final = frozenset({"in", "near", "outside"})
_IS: Final = frozenset({"is", "was", "lies"})
_ARTICLES: Final = frozenset({"a", "an", "the"})
_WORDS: Final = ACTOR_WORDS | SOFTWARE_WORDS | ATTACKERS | CYBER | HOSTILE | TECHNICAL


def namesake(hit: Hit, near: Surroundings) -> str:
    """Why a name of an actor or of software rather is somebody else's here; empty if nothing says so."""
    kinds = {name.term.kind for name in hit.names}
    if not kinds <= {"actor", "software"} or hit.last > hit.first:
        return ""
    if _before(hit, near, 1) & TITLES:
        return "the name of a person"
    if _is_placed(hit, near) or ("actor" in kinds and _is_lived_in(hit, near)):
        return "the name of a place"
    return ""


def _is_placed(hit: Hit, near: Surroundings) -> bool:
    """Whether it is said to be a place: "the village of X", "X is a hill village", "X, a village"."""
    named = _before(hit, near, 1) & {"of", "called", "named"}
    if named and _before(hit, near, 2) & PLACES:
        return True
    following = hit.last + 1
    if near.tokens.gaps[following].strip() == ",":
        after = ["is", *near.tokens.lower[following : following + 4]]
    else:
        after = near.tokens.lower[following : following + 5]
    what = set(after[2:])
    return len(after) > 2 and after[0] in _IS and after[1] in _ARTICLES and bool(what & PLACES) and not what & _WORDS


def _is_lived_in(hit: Hit, near: Surroundings) -> bool:
    """Whether something happened in it, and nothing around is about attacks."""
    number = near.number(hit)
    if not _before(hit, near, 1) & _THERE:
        return False
    return all(_is_elsewhere(number + step, near) for step in (-1, 0, 1))


def _is_elsewhere(number: int, near: Surroundings) -> bool:
    """Whether a sentence, if it is there, has no word for attacks."""
    return not 0 <= number < len(near.sentences) or not near.words(number) & _WORDS


def _before(hit: Hit, near: Surroundings, steps: int) -> set[str]:
    """The word so many steps before a name, as a set; empty where none is in its sentence."""
    index = hit.first - steps
    return {near.tokens.lower[index]} if index >= near.first_word(near.number(hit)) else set()
