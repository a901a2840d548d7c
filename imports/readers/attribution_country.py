"""Whether what a sentence says of a group attributes it to a country.

Before matching, the country in question is written "Xland" and its adjective "Xlandish", so that one set of phrases serves
all countries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from imports.readers.attribution_words import COUNTRIES, DOUBTS

_TIE = r"(?:based|linked|aligned|nexus|sponsored|backed|affiliated|associated|related|origin|attributed|state)"
_GROUP = (
    r"(?:group|groups|actor|actors|entity|adversary|team|crew|gang|unit|apt|operators?|organization|espionage|cluster|"
    r"cybercriminals?|hackers?)\b"
)
_MODIFIER = (
    r"(?:(?!(?:that|which|who|not|no|neither|targeting|targets|targeted|against|in|from|with|focused|to|by|of|and|or|on|"
    r"for|anti|pro|former|formerly|previously)\b)[\w/-]+,?\s+)"
)
_OWNER = r"(?:the )?(?:Xland['’]s?|Xlandish)"
_SERVES = (
    r"(?:(?:associated|in association) with|subordinate element (?:within|of)|conducted by|on behalf of|at the behest of|"
    r"linked to|part of|element of)"
)
_INSTITUTION = (
    r"(?:government|ministry|intelligence|military|armed|people|general|federal|foreign|main|state|islamic|reconnaissance|"
    r"army)"
)

# What stands before the noun "group": "Xland-based", "Xlandish state-sponsored", "Xlandish cyber espionage group". A country's
# noun alone says nothing, and "Xlandish-speaking" is a language.
_ORIGIN = "|".join(
    (
        rf"Xland(?:ish)?(?: \([A-Z]{{2,5}}\))?(?:[-–\s]+state)?[-–\s]+(?:state|government)[-–]{_TIE}",
        rf"Xland(?:ish)?[-–‑]{_TIE}(?!\w|[-–]speaking)",
        rf"Xlandish\s+{_MODIFIER}{{0,5}}{_GROUP}",
    )
)
_IS = r"(?:is|are|was|were|as|is assessed to be|is believed to be|has been assessed to be)"

# Matched against what follows the group's name in its sentence.
WAYS = (
    rf"^{_IS} (?:(?:an?|the) )?{_MODIFIER}{{0,5}}(?:{_ORIGIN})",
    rf"\bassessed as (?:an? )?{_MODIFIER}{{0,3}}(?:{_ORIGIN})",
    rf"\battributed to (?:Xland\b(?![-–])|{_OWNER} )",
    r"\battributed to (?:actors|individuals|operators) (?:operating out of|based in|from|in) Xland\b",
    r"\boperat(?:e|es|ing) (?:out of|from) (?:the (?:\w+ ){1,3}of )?Xland\b",
    r"\b(?:likely|(?:believed|suspected|thought) to be) based in Xland\b",
    r"\bmembers who are (?:suspected|believed) to be Xland[-–]based\b",
    r"\b(?:with|have|of) (?:(?:likely|suspected|probable) )?Xlandish origins?\b",
    rf"\bwith a (?:(?:suspected|likely) )?(?:nexus to {_OWNER} government|Xlandish nexus)\b",
    r"\boriginating (?:in|from) Xland\b",
    rf"\b{_SERVES} (?:{_OWNER} {_INSTITUTION}|the government of Xland\b)",
)

# Words that take back what follows them in the same clause.
HEDGE = re.compile(r"\b(?:may|might|could|would|potential(?:ly)?|rather than|not|no|without)\b[^,;]*$", re.IGNORECASE)


@cache
def regex(pattern: str) -> re.Pattern[str]:
    """Compiled for good: there are more patterns here than the cache of `re` holds."""
    return re.compile(pattern, re.IGNORECASE)


@cache
def alternatives(words: tuple[str, ...]) -> str:
    """A pattern for any of `words`, the longest first."""
    return "(?:" + "|".join(sorted(words, key=lambda word: (-len(word), word))) + ")"


_WAYS = regex("|".join(f"(?:{way})" for way in WAYS))
_ANY_COUNTRY = alternatives(tuple(word for _, *forms in COUNTRIES for words in forms for word in words))
_NAMED = regex(rf"(?<!\w){_ANY_COUNTRY}(?!\w)")
_SECOND_COUNTRY = regex(rf"\s*(?:and|or|/)\s+{_ANY_COUNTRY}\b")
_DOUBT = regex("|".join(DOUBTS))


def attributed_country(predicate: str) -> str:
    """The one country that a predicate attributes to, or "" when it names none, doubts, or names two."""
    if not predicate or _DOUBT.search(predicate):
        return ""
    found = {name for name, text in _one_country_each(predicate) if _attributes(text)}
    return found.pop() if len(found) == 1 else ""


def _one_country_each(predicate: str) -> Iterator[tuple[str, str]]:
    """Each country that a text names, and the text with that country as "Xland"."""
    for name, nouns, adjectives in countries_in(predicate):
        text = regex(rf"(?<!\w){alternatives(nouns)}(?!\w)").sub("Xland", predicate)
        yield name, regex(rf"(?<!\w){alternatives(adjectives)}(?!\w)").sub("Xlandish", text)


def countries_in(text: str) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """The rows of COUNTRIES that a text names in any way."""
    if _NAMED.search(text):
        for row in COUNTRIES:
            if regex(rf"(?<!\w){alternatives((*row[1], *row[2]))}(?!\w)").search(text):
                yield row


def _attributes(text: str) -> bool:
    return any(
        not HEDGE.search(text[: way.start()]) and not _SECOND_COUNTRY.match(text, way.end())
        for way in _WAYS.finditer(text)
    )
