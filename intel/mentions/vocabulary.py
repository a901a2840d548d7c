"""The names and ids to look for, built once, and the search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from intel.mentions.context import Surroundings
from intel.mentions.ids import IdHit, Ids
from intel.mentions.lexicon import Hit, Lexicon
from intel.mentions.naming import Name, Weight, names_of
from intel.mentions.scoring import judge
from intel.mentions.terms import CONFIDENT, Mention, OldId, Term
from intel.mentions.tokens import Tokens


class Vocabulary:
    """What is looked for. Building it takes time; `find` may then be called for any number of texts."""

    def __init__(self, terms: Iterable[Term], old_ids: Mapping[str, OldId] | None = None) -> None:
        """`terms` name what is current, by current id; the name of an old technique may stand under its old id.

        `old_ids` are technique ids that are not current, with what they mean. An id that is in neither does not exist.
        """
        terms = list(terms)
        old = dict(old_ids or {})
        current = frozenset(term.key for term in terms if term.key not in old)
        self._ids = Ids(current, old)
        self._lexicon = Lexicon(_names(terms, old))
        self._id_roots = self._ids.roots()
        self._roots = self._id_roots | set(self._lexicon.roots())

    def find(self, text: str) -> list[Mention]:
        """The mentions in a text, in order and without overlaps: the longest name wins. Offsets count code points."""
        tokens = Tokens.of(text)
        hits = list(self._hits(text, tokens))
        if all(isinstance(hit, Hit) and hit.is_thing for hit in hits):
            return []
        near = Surroundings(text, tokens, hits)
        return list(_mentions(text, near, hits))

    def _hits(self, text: str, tokens: Tokens) -> Iterator[Hit | IdHit]:
        beyond = 0
        for index in [index for index, word in enumerate(tokens.lower) if word in self._roots]:
            if index < beyond:
                continue
            hit: Hit | IdHit | None = None
            if tokens.lower[index] in self._id_roots:
                hit = self._ids.at(text, tokens, index)
            hit = hit or self._lexicon.longest(tokens, index)
            if hit is not None:
                beyond = hit.last + 1
                yield hit


def _names(terms: list[Term], old: Mapping[str, OldId]) -> Iterator[Name]:
    """Every way to write every term, by current id."""
    names = {term.key: term.text for term in terms if term.kind == "technique"}
    for term in terms:
        parent, dot, _ = term.key.partition(".")
        meaning = old.get(term.key)
        for name in names_of(term, names.get(parent, "") if dot else ""):
            yield _now(name, meaning) if meaning else name


def _now(name: Name, meaning: OldId) -> Name:
    """A name of an old technique, for the one that it is now."""
    said = f"name of {name.term.key}, now {meaning.key} ({meaning.how})"
    return replace(name, term=replace(name.term, key=meaning.key), said=said)


def _mentions(text: str, near: Surroundings, hits: list[Hit | IdHit]) -> Iterator[Mention]:
    for hit in hits:
        mention = _of_id(text, near, hit) if isinstance(hit, IdHit) else _of_name(text, near, hit)
        if mention is not None:
            yield mention


def _of_id(text: str, near: Surroundings, hit: IdHit) -> Mention | None:
    if hit.kind == "tactic":
        return None
    return Mention(hit.kind, hit.key, *_place(text, near, hit), hit.confidence, hit.reason)


def _of_name(text: str, near: Surroundings, hit: Hit) -> Mention | None:
    if hit.is_thing and not near.has_ids(near.number(hit)):
        return None
    judged = judge(hit, near)
    term = judged.name.term
    if term.kind == "tactic" or (judged.name.weight == Weight.THING and judged.confidence < CONFIDENT):
        return None
    return Mention(term.kind, term.key, *_place(text, near, hit), judged.confidence, judged.reason)


def _place(text: str, near: Surroundings, hit: Hit | IdHit) -> tuple[int, int, str, tuple[int, int]]:
    """Start, end, what is written there, and its sentence."""
    start, end = near.tokens.starts[hit.first], near.tokens.end(hit.last)
    return start, end, text[start:end], near.sentences.span(near.number(hit))
