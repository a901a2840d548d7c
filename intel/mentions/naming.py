"""How a name is recognised: what its words weigh, whether its case counts, how else it is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from intel.mentions.terms import Term
from intel.mentions.tokens import WORD
from intel.mentions.words import (
    COMMON_IN_REPORTS,
    DEEDS,
    NAMES,
    NOUNS,
    OTHER_NAMES,
    PLAIN,
    TERMS_OF_ART,
    THINGS,
    TOLD_TACTICS,
    TOOLS,
    TRADE,
)


class Weight(IntEnum):
    """What a name alone says."""

    THING = 0  # counts only when its id or its parent stands with it
    PLAIN = 1  # plain English: counts near an id, a tactic, an actor, or several others
    TRADE = 2  # in every report and every brochure: counts where somebody does it
    PROPER = 3  # plain words that make a proper name, when they are capitalised
    DISTINCT = 4  # nothing else is called so


@dataclass(frozen=True, slots=True)
class Name:
    """One way to write a term: its words as written, what must stand between them, and where it comes from.

    `gaps[i]` stands before word i + 1: None for anything that joins, otherwise the characters themselves. `whole` is the
    form "parent: sub-technique". `said` says what it is when it is not the term's own name.
    """

    term: Term
    words: tuple[str, ...]
    gaps: tuple[str | None, ...]
    weight: Weight
    exact: bool
    whole: bool = False
    said: str = ""


TEAM: Final = frozenset({"team", "group", "gang", "ransomware"})
_VERSION: Final = re.compile(r"[^\W\d_]+\d+\Z")


def names_of(term: Term, parent: str = "") -> Iterator[Name]:
    """Every way in which a term is written; `parent` is the name of a sub-technique's technique."""
    if not WORD.search(term.text):
        return
    yield from _forms(term, term.text)
    if term.kind == "technique":
        yield from _technique_forms(term, parent)
    elif term.kind in {"actor", "software"}:
        yield from _proper_forms(term)
    else:
        yield from (
            _name(term, told, weigh(term, told.split()), exact=False) for told in TOLD_TACTICS.get(term.text, ())
        )


def _technique_forms(term: Term, parent: str) -> Iterator[Name]:
    for other in OTHER_NAMES.get(term.text, ()):
        weight = weigh(term, WORD.findall(other))
        weight = weight if len(other) <= 3 else max(Weight.TRADE, weight)
        said = f"what the trade calls {term.text}"
        yield from (_name(term, form, weight, exact=len(other) <= 3, said=said) for form in _numbers(other))
    if parent:
        for joint in (":", "-", "–", "—", ">", "::", "/"):
            whole = f"{parent}{joint}{term.text}"
            yield _name(term, whole, Weight.DISTINCT, exact=False, whole=True, said="name with its parent's")
    for deed in _deeds(term.text):
        weight = weigh(term, WORD.findall(term.text))
        yield from (_name(term, form, weight, exact=False, said=f"as in {term.text}") for form in _numbers(deed))
    if "spearphishing" in term.text.lower():
        yield from _forms(term, re.sub("(?i)spearphishing", "spear phishing", term.text))


def _deeds(text: str) -> Iterator[str]:
    """The name of a technique as something that is done: "clears the event logs", "disabled or modified tools"."""
    verb, _, rest = text.partition(" ")
    second, _, object_ = rest.removeprefix("or ").partition(" ")
    if (forms := DEEDS.get(verb.lower())) is None:
        return
    if rest.startswith("or ") and second.lower() in DEEDS:
        yield from (f"{one} or {other} {object_}" for one, other in zip(forms, DEEDS[second.lower()], strict=True))
        return
    for form in (verb, *forms):
        yield from (f"{form} {article}{rest}" for article in ("", "a ", "an ", "the ") if form != verb or article)


def _proper_forms(term: Term) -> Iterator[Name]:
    words = WORD.findall(term.text)
    if len(words) == 1 and _VERSION.match(term.text):
        letters = term.text.rstrip("0123456789")
        yield from _forms(term, f"{letters} {term.text[len(letters) :]}", weight=Weight.DISTINCT)
    if len(words) == 2 and words[-1] in {one.title() for one in TEAM}:
        yield _name(term, f"{words[0]} {words[-1].lower()}", weigh(term, words), exact=True)
    if len(words) == 2 and words[-1].isdigit() and len(term.text) >= 6:
        yield _name(term, "".join(words), Weight.DISTINCT, exact=False)
    if len(words) == 2 and all(len(word) >= 4 for word in words) and words[-1].lower() not in TEAM:
        yield _name(term, "".join(words), Weight.DISTINCT, exact=True)
    if (
        len(words) == 2
        and words[-1].lower() in TEAM
        and len(words[0]) >= 6
        and weigh_words(words[:1]) == Weight.DISTINCT
    ):
        yield _name(term, words[0], Weight.DISTINCT, exact=True, said=f"short for {term.text}")


def _forms(term: Term, text: str, weight: Weight | None = None) -> Iterator[Name]:
    words = WORD.findall(text)
    weight = weigh(term, words) if weight is None else weight
    exact = _case_counts(term, words, weight)
    texts = [text, *_numbers(text)] if term.kind == "technique" and not exact else [text]
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    for form in dict.fromkeys([*texts, plain]):
        yield _name(term, form, weight, exact=exact)


def _name(term: Term, text: str, weight: Weight, *, exact: bool, whole: bool = False, said: str = "") -> Name:
    parts = WORD.split(text)
    gaps = tuple(gap.strip() if gap.strip() not in {"", "-", "_"} else None for gap in parts[2:-1:2])
    return Name(term, tuple(parts[1::2]), gaps, weight, exact, whole, said)


def _numbers(text: str) -> list[str]:
    """A technique's name in the other number: "Web Shells" beside "Web Shell"."""
    if text.endswith("s") and not text.endswith(("ss", "us", "is", "OS")):
        return [text, text.removesuffix("s")]
    if text.endswith("y") and text[-2:-1] not in "aeiou":
        return [text, f"{text[:-1]}ies"]
    return [text, f"{text}{'es' if text.endswith(('ss', 'sh', 'ch', 'x')) else 's'}"]


def weigh(term: Term, words: list[str]) -> Weight:
    """What the words of a term's name say by themselves."""
    slug = "-".join(words).lower().replace("spear-phishing", "spearphishing")
    if slug in TERMS_OF_ART or slug in COMMON_IN_REPORTS or slug in TOOLS:
        return Weight.DISTINCT if slug in TERMS_OF_ART else Weight.TRADE
    weight = weigh_words(words)
    if term.kind in {"technique", "tactic"}:
        return _technique_weight(weight, words)
    if len(words) == 1 and len(words[0]) <= 3:
        return min(weight, Weight.PLAIN)
    if weight < Weight.DISTINCT and (len(words) > 1 or slug in NOUNS):
        return Weight.PROPER
    return Weight.PLAIN if weight < Weight.DISTINCT else weight


def weigh_words(words: list[str]) -> Weight:
    """The weight of the rarest word; single characters and numbers alone weigh nothing."""
    return max((_weigh_word(word.lower()) for word in words), default=Weight.THING)


def _weigh_word(word: str) -> Weight:
    if word in THINGS or len(word) == 1 or word.isdigit():
        return Weight.THING
    if word in PLAIN or word in NAMES or word in NOUNS:
        return Weight.PLAIN
    return Weight.TRADE if word in TRADE else Weight.DISTINCT


def _technique_weight(weight: Weight, words: list[str]) -> Weight:
    """One short word is an acronym of many meanings; several plain words in the right order are seldom chance."""
    if len(words) == 1:
        return min(weight, Weight.PLAIN) if len(words[0]) <= 4 else weight
    content = sum(len(word) > 3 for word in words)
    if content < 3 or weight == Weight.DISTINCT:
        return weight
    if weight == Weight.THING:
        return Weight.PLAIN if content > 3 else weight
    return Weight.PROPER if content > 3 else Weight.TRADE


def _case_counts(term: Term, words: list[str], weight: Weight) -> bool:
    """Short names and acronyms, names of actors and software that are words, and actors of two words need their case."""
    named_so = term.kind in {"actor", "software"}
    if named_so and (weight < Weight.DISTINCT or (len(words) == 1 and words[0].isalpha() and words[0].isupper())):
        return True
    if term.kind == "actor" and len(words) > 1:
        return not any(map(str.isdigit, words))
    return len(words) == 1 and (len(words[0]) <= 4 or weight == Weight.THING)


def written_so(name: Name, words: list[str]) -> bool:
    """Whether words have the case of a name: as it is written, in capitals, or with any capital if the name is in capitals."""
    return all(map(_same_case, name.words, words))


def _same_case(wanted: str, written: str) -> bool:
    if wanted == written:
        return True
    if len(wanted) < 4:
        return False
    return written == wanted.upper() or (wanted.isupper() and not written.islower())
