"""The names of a vocabulary as a tree of words, and where they stand in a text.

The tree is walked from those words of the text that some name begins with, so the time depends on the text and not on the
number of names. No walk is longer than the longest name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from intel.mentions.naming import Name, Weight, written_so
from intel.mentions.tokens import Tokens, is_joint


@dataclass(slots=True)
class Node:
    """One word of the tree: the words that may follow, and the names that end here."""

    following: dict[str, Node] = field(default_factory=dict)
    names: list[Name] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Hit:
    """Words `first` to `last` (included) of a text, and the names that they are; the names weigh the same in kind."""

    first: int
    last: int
    names: tuple[Name, ...]

    @property
    def is_thing(self) -> bool:
        """Whether it says nothing without its id."""
        return all(name.weight == Weight.THING for name in self.names)


class Lexicon:
    """Names, ready to be looked up."""

    def __init__(self, names: Iterable[Name]) -> None:
        self._roots: dict[str, Node] = {}
        for name in names:
            self._add(name)

    def roots(self) -> Iterable[str]:
        """The words, in lower case, with which names begin."""
        return self._roots

    def longest(self, tokens: Tokens, index: int) -> Hit | None:
        """The longest name that starts with a word of a text, or None."""
        node = self._roots.get(tokens.lower[index])
        last, found = index, None
        while node is not None:
            if node.names and (names := _fitting(node.names, tokens, index, last)):
                found = Hit(index, last, names)
            last += 1
            if last == len(tokens.lower) or not node.following:
                break
            node = node.following.get(tokens.lower[last])
        return found

    def _add(self, name: Name) -> None:
        first, *rest = (word.lower() for word in name.words)
        node = self._roots.setdefault(first, Node())
        for word in rest:
            node = node.following.setdefault(word, Node())
        if not any(_same(name, other) for other in node.names):
            node.names.append(name)


def _same(name: Name, other: Name) -> bool:
    return (name.term.kind, name.term.key, name.gaps) == (other.term.kind, other.term.key, other.gaps) and (
        name.words == other.words or not name.exact
    )


def _fitting(names: list[Name], tokens: Tokens, first: int, last: int) -> tuple[Name, ...]:
    """Those names that have the case and the signs that are written, one for each thing."""
    words = tokens.words[first : last + 1]
    gaps = tokens.gaps[first + 1 : last + 1]
    best: dict[tuple[str, str], Name] = {}
    for name in names:
        if (name.exact and not written_so(name, words)) or not all(map(_joins, name.gaps, gaps)):
            continue
        thing = (name.term.kind, name.term.key)
        if thing not in best or best[thing].weight < name.weight:
            best[thing] = name
    return tuple(best.values())


def _joins(wanted: str | None, written: str) -> bool:
    return is_joint(written) if wanted is None else written.strip() == wanted


def by_key(names: Iterable[Name]) -> dict[str, list[Name]]:
    """Names grouped by what they name."""
    grouped: dict[str, list[Name]] = defaultdict(list)
    for name in names:
        grouped[name.term.key].append(name)
    return dict(grouped)


def starts(tokens: Tokens, roots: set[str]) -> Iterator[int]:
    """The words of a text with which a name may begin."""
    return (index for index, word in enumerate(tokens.lower) if word in roots)
