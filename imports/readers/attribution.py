"""Reads from the description of a threat actor what ATT&CK publishes in prose only: country, motivation, targets.

A wrong country is worse than none, so a value is read only from a sentence whose subject is the group itself, and only
from a phrase that attributes ("a suspected X group", "attributed to X's", "operating out of X"). Countries of victims,
languages ("X-speaking"), sympathies ("pro-X"), doubts ("not been confirmed") and two countries at once give nothing. The
words are in `attribution_words`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from imports.readers.attribution_country import HEDGE, alternatives, attributed_country, countries_in, regex
from imports.readers.attribution_words import (
    MOTIVATIONS,
    NOT_TARGETS,
    PEOPLE_WORDS,
    REGIONS,
    SECTORS,
    TARGET_CLAUSE_ENDS,
    TARGET_LEADS,
    TARGET_VERBS,
)
from imports.records import Attribution

# Far above anything ATT&CK publishes (3,000 characters); they bound what hostile text can cost.
LONGEST_DESCRIPTION = 20_000
LONGEST_SENTENCE = 2_000
LONGEST_NAME = 200
MOST_NAMES = 200

_CITATION = re.compile(r" ?\(Citation:[^()]*(?:\([^()]*\)[^()]*)*\)")
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()\s]*(?:\([^()\s]*\)[^()\s]*)*\)")
_CODE_TAG = re.compile(r"</?code>")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“‘(]?[A-Z0-9])")
_ABBREVIATION = re.compile(r"(?:\b[A-Z]\.(?:[A-Z]\.)*|\b(?:e\.g|i\.e|vs|etc|Inc|Co|Corp|Ltd|No|St|Dr|Mr|Ms))\.?$")


@dataclass(frozen=True, slots=True)
class Profile:
    """What a description says about a group; `attributions` holds each value with the sentence it came from."""

    country: str
    motivation: str
    target_sectors: tuple[str, ...]
    target_regions: tuple[str, ...]
    attributions: tuple[Attribution, ...]


def sentences(description: str) -> list[str]:
    """The sentences of a description as plain text: citations dropped, links as their text, white space collapsed.

    What lies beyond the limits above is left out.
    """
    plain = _CODE_TAG.sub("", _LINK.sub(r"\1", _CITATION.sub("", description[:LONGEST_DESCRIPTION])))
    found = []
    for paragraph in re.split(r"\n+", plain):
        held: list[str] = []
        for piece in _SENTENCE_END.split(" ".join(paragraph.split())):
            held.append(piece)
            if not _ABBREVIATION.search(piece[-8:]):
                found.append(" ".join(held))
                held = []
        found.append(" ".join(held))
    return [sentence for sentence in found if sentence and len(sentence) <= LONGEST_SENTENCE]


def profile(names: tuple[str, ...], description: str) -> Profile:
    """Read a description. `names` are the group's name and aliases: a sentence counts when one of them is its subject."""
    subject = _Subject(names)
    found: dict[tuple[str, str], Attribution] = {}
    for sentence in sentences(description):
        for field, value in _values(subject, sentence):
            found.setdefault((field, value), Attribution(field=field, value=value, sentence=sentence))
    countries = [value for field, value in found if field == "country"]
    if len(countries) > 1:
        found = {key: attribution for key, attribution in found.items() if key[0] != "country"}
    return Profile(
        country=countries[0] if len(countries) == 1 else "",
        motivation=", ".join(value for value in MOTIVATIONS if ("motivation", value) in found),
        target_sectors=tuple(sorted(value for field, value in found if field == "sector")),
        target_regions=tuple(sorted(value for field, value in found if field == "region")),
        attributions=tuple(found[key] for key in sorted(found)),
    )


class _Subject:
    """Finds whether a sentence is about the group, and gives back what the sentence says of it."""

    def __init__(self, names: tuple[str, ...]) -> None:
        known = [name for name in names[:MOST_NAMES] if name.strip() and len(name) <= LONGEST_NAME] or ["the group"]
        own = "|".join(re.escape(name) for name in sorted(known, key=lambda name: (-len(name), name)))
        group = rf"(?:(?:the\s+|this\s+)?(?:{own})(?:\s+group)?|(?:the|this)\s+(?:group|actor|adversary|team)|they|it)"
        since = r"(?:active\s+)?(?:in|by|since|as\s+of|until|from)\s+[^,]{1,45}?,?\s+"
        members = r"(?:(?:individual\s+)?members\s+of\s+|(?:the\s+)?operators\s+of\s+)?"
        flags = re.IGNORECASE
        self._group = re.compile(
            rf"(?:{since})?{members}{group}\s+(?:(?:actors|operations|campaigns)\s+)?(?=[a-z])", flags
        )
        self._belongings = re.compile(
            rf"(?:{since})?(?:(?:{own}|the\s+group)['’]s?|its|their)\s+(?=(?:(?:primary|main|notable)\s+)?"
            r"(?:mission|goal|objective|motivation|operations|campaigns|victims|targets|targeting)\b)",
            flags,
        )
        identified = r"(?:security\s+)?(?:researchers|analysts)\s+(?:have\s+)?(?:identified|assessed|assess)\s+"
        self._identified = re.compile(rf"{identified}(?:that\s+)?(?:{own})\s+(?=as|is|are)", flags)

    def predicate(self, sentence: str) -> str:
        """What the sentence says of the group itself, or ""."""
        for pattern in (self._identified, self._group):
            if found := pattern.match(sentence):
                return sentence[found.end() :]
        return ""

    def about(self, sentence: str) -> str:
        """The same, also for sentences about its mission, operations or victims."""
        found = self._belongings.match(sentence)
        return sentence[found.end() :] if found else self.predicate(sentence)


def _values(subject: _Subject, sentence: str) -> Iterator[tuple[str, str]]:
    predicate, about = subject.predicate(sentence), subject.about(sentence)
    if country := attributed_country(predicate):
        yield "country", country
    for motivation in _motivations(about):
        yield "motivation", motivation
    for clause in _target_clauses(sentence, about):
        for value in _mentions(SECTORS, clause):
            yield "sector", value
        for value in _places(clause):
            yield "region", value


# "shares tools with a cyber crime group" says nothing of the group itself.
_OTHERS = re.compile(
    r"(?<![-–])\b(?:shar(?:es?|ed|ing)|overlap|similar|link|ties|connect|resembl|sold|sells?|partner)[^,;]*$",
    re.IGNORECASE,
)
_MOTIVATION_PATTERNS = {value: re.compile("|".join(phrases), re.IGNORECASE) for value, phrases in MOTIVATIONS.items()}


def _motivations(about: str) -> Iterator[str]:
    for value, pattern in _MOTIVATION_PATTERNS.items():
        befores = [about[: match.start()] for match in pattern.finditer(about)]
        if any(not HEDGE.search(before) and not _OTHERS.search(before) for before in befores):
            yield value


_VERB = re.compile(alternatives(TARGET_VERBS), re.IGNORECASE)
_LEAD = re.compile(alternatives(TARGET_LEADS), re.IGNORECASE)
_END = re.compile(alternatives(TARGET_CLAUSE_ENDS), re.IGNORECASE)
_PEOPLE = re.compile(PEOPLE_WORDS, re.IGNORECASE)
_NOT_TARGET = re.compile(alternatives(NOT_TARGETS), re.IGNORECASE)


def _target_clauses(sentence: str, about: str) -> Iterator[str]:
    """The parts of a sentence that say whom the group goes after."""
    text, found = (about, _VERB.search(about)) if about else (sentence, _LEAD.match(sentence))
    if found and not HEDGE.search(text[: found.start()]):
        clause = text[found.end() :]
        end = _END.search(clause)
        yield _NOT_TARGET.sub(" ", clause[: end.start()] if end else clause)


def _mentions(vocabulary: dict[str, str], clause: str) -> Iterator[str]:
    for value, pattern in vocabulary.items():
        if regex(pattern).search(clause):
            yield value


def _places(clause: str) -> Iterator[str]:
    """Regions and countries of victims. Adjectives of languages ("X speakers") are no place."""
    yield from _mentions(REGIONS, clause)
    for name, nouns, adjectives in countries_in(clause):
        words = nouns if _PEOPLE.search(clause) else (*nouns, *adjectives)
        place = rf"(?<![\w-]){alternatives(words)}(?![\w])(?![-–](?:speaking|based|linked))"
        if regex(place).search(clause):
            yield name
