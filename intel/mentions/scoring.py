"""How sure a hit is, and why: the weight of the name, and what stands around it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from intel.mentions.context import Around, Surroundings
from intel.mentions.lexicon import Hit
from intel.mentions.namesakes import namesake
from intel.mentions.naming import Name, Weight
from intel.mentions.words import ACTOR_WORDS, CARRIERS, SOFTWARE_WORDS, TOOLS

BASE: Final = {Weight.THING: 0.1, Weight.PLAIN: 0.25, Weight.TRADE: 0.45, Weight.PROPER: 0.7, Weight.DISTINCT: 0.85}
ALONE: Final = {
    Weight.THING: "a word of every text",
    Weight.PLAIN: "plain English word without context",
    Weight.TRADE: "common word of the trade without context",
    Weight.PROPER: "proper name",
    Weight.DISTINCT: "distinct name",
}
PREPARATION: Final = frozenset({"Reconnaissance", "Resource Development"})
UNCERTAIN: Final = 0.5
_RANK: Final = {"actor": 2, "technique": 1, "software": 0, "tactic": -1}


@dataclass(frozen=True, slots=True)
class Judged:
    """The name that a hit is taken for, how sure, and why."""

    name: Name
    confidence: float
    reason: str


def judge(hit: Hit, near: Surroundings) -> Judged:
    """Which of its names a hit is, and how much that is worth."""
    name, why_unsure = _chosen(hit, near)
    judged = _weighed(name, hit, near)
    said = f"{judged.reason}; {name.said}" if name.said else judged.reason
    if why_unsure and judged.confidence > UNCERTAIN:
        return Judged(name, UNCERTAIN, why_unsure)
    return Judged(name, judged.confidence, said)


def _weighed(name: Name, hit: Hit, near: Surroundings) -> Judged:
    number = near.number(hit)
    if name.whole:
        return Judged(name, 0.95, ALONE[Weight.DISTINCT])
    if own := _own_id(name, near.here(number).written):
        return Judged(name, 0.95, f"name beside {own}")
    if own := next(filter(None, (_own_id(name, around.written) for around in near.beside(number))), ""):
        return Judged(name, 0.8, f"name next to the sentence with {own}")
    base = BASE[name.weight]
    if why_not := namesake(hit, near):
        return Judged(name, 0.3, why_not)
    if name.weight == Weight.DISTINCT:
        return Judged(name, base, ALONE[name.weight])
    if _is_part_of_a_longer_name(hit, near):
        return Judged(name, 0.2, "part of a longer name")
    gains = sorted(_gains(name, hit, near), reverse=True)
    total = sum(gain for gain, _ in gains)
    limit = 0.4 if name.weight == Weight.THING else 0.95
    reason = gains[0][1] if gains and gains[0][0] > 0 else ALONE[name.weight]
    return Judged(name, round(min(limit, max(0.05, base + total)), 2), reason)


def _own_id(name: Name, ids: set[str]) -> str:
    """The id of what is named, of a technique's parent or of one of its own sub-techniques, among ids."""
    key = name.term.key
    if key in ids:
        return key
    parent = key.partition(".")[0]
    return next(
        (other for other in sorted(ids) if other == parent or (key == parent and other.startswith(f"{key}."))), ""
    )


def _gains(name: Name, hit: Hit, near: Surroundings) -> list[tuple[float, str]]:
    """What the context adds to a name, with the reason for each."""
    number = near.number(hit)
    here = near.here(number)
    own = {name.term.key for name in hit.names}
    gains = [*_from(here, own, 1.0)]
    for around in near.beside(number):
        gains += _from(around, own, 0.5)
    if here.attacked:
        gains.append((0.15, "words for attackers in the sentence"))
    if name.weight == Weight.TRADE and (reason := _trade(name, hit, near)):
        gains.append((0.15, reason))
    if here.sold:
        gains.append((-0.25, "words for sellers in the sentence"))
    written = near.tokens.words[hit.first : hit.last + 1]
    if len(name.words) > 1 and not here.headline and written == list(name.words) and not "".join(written).islower():
        gains.append((0.2, "capitalised as in ATT&CK"))
    if name.term.kind in {"actor", "software"} and _is_named_by_its_kind(name, hit, near):
        gains.append((0.4, f"named as {name.term.kind}"))
    if name.weight == Weight.PROPER:
        gains += _chance_capitals(name, hit, near)
    return gains


def _chance_capitals(name: Name, hit: Hit, near: Surroundings) -> Iterator[tuple[float, str]]:
    """What the capitals of a proper name lose where other words have them too."""
    number = near.number(hit)
    if len(name.words) == 1 and hit.first == near.first_word(number):
        yield -0.15, "a word of English at the start of a sentence"
    if near.here(number).headline:
        yield -0.15, "every word of the headline is capitalised"


def _from(around: Around, own: set[str], share: float) -> list[tuple[float, str]]:
    """What one sentence's mentions of others than `own` add, each kind once."""
    gains: list[tuple[float, str]] = []
    for known, worth, what in (
        (around.ids, 0.35, "near {}"),
        (around.tactics, 0.35, "near the tactic {}"),
        (around.actors, 0.35, "near the actor {}"),
        (around.techniques, 0.25, "near {}"),
        (around.software, 0.2, "near the software {}"),
    ):
        if others := [known[other] for other in known if other not in own]:
            gains.append((worth * share, what.format(others[0])))
    plain = len({around.plain[key] for key in around.plain.keys() - own})
    if plain:
        gains.append(((0.35 if plain > 1 else 0.1) * share, "near other plain names of techniques"))
    return gains


def _trade(name: Name, hit: Hit, near: Surroundings) -> str:
    """Why a word of the trade is about an attack although nobody is named who makes it; empty if it may not be."""
    here, own = near.here(near.number(hit)), set(map(str.lower, name.words))
    if own & TOOLS:
        return "malware in the sentence" if here.hostile - own else ""
    if len(name.words) > 1:
        about = here.technical - own and (here.hostile - own or not here.upkeep)
        return "technical words in the sentence" if about else ""
    carried = CARRIERS & set(_neighbours(hit, near))
    return "malware in the sentence" if carried and here.hostile - own and not (here.sold or here.counted) else ""


def _is_named_by_its_kind(name: Name, hit: Hit, near: Surroundings) -> bool:
    """Whether "ransomware", "group" or the like stands beside a name; those of a "ransomware gang" are an actor."""
    beside = set(_neighbours(hit, near))
    if name.term.kind == "software":
        return bool(SOFTWARE_WORDS & beside)
    after = near.tokens.lower[hit.last + 1 : hit.last + 3]
    return bool(ACTOR_WORDS & beside) or (len(after) == 2 and after[0] in SOFTWARE_WORDS and after[1] in ACTOR_WORDS)


def _neighbours(hit: Hit, near: Surroundings) -> list[str]:
    lower = near.tokens.lower
    return lower[max(0, hit.first - 1) : hit.first] + lower[hit.last + 1 : hit.last + 2]


def _is_part_of_a_longer_name(hit: Hit, near: Surroundings) -> bool:
    """Whether capitalised words go on before or after a capitalised name in running text: the Data Destruction Act."""
    tokens, number = near.tokens, near.number(hit)
    if near.here(number).headline or not tokens.words[hit.first][0].isupper():
        return False
    after, first = hit.last + 1, near.first_word(number)
    if after < len(tokens.words) and tokens.gaps[after] == " " and _goes_on(tokens.words[after]):
        return near.sentences.index(tokens.starts[after]) == number and not tokens.words[hit.last].islower()
    before = hit.first - 1
    return before > first and tokens.gaps[hit.first] == " " and _goes_on(tokens.words[before])


def _goes_on(word: str) -> bool:
    return word[0].isupper() and not word.isupper() and word.isalpha()


def _chosen(hit: Hit, near: Surroundings) -> tuple[Name, str]:
    """The name that fits the context best; the second value says why that is not certain, or is empty."""
    if len(hit.names) == 1:
        return hit.names[0], ""
    ranked = sorted(hit.names, key=lambda name: (-_fit(name, hit, near), name.term.key))
    best, second = ranked[0], ranked[1]
    if _fit(best, hit, near) > _fit(second, hit, near):
        return best, ""
    return best, f"{best.term.key} and {second.term.key} have this name"


def _fit(name: Name, hit: Hit, near: Surroundings) -> float:
    """How well one of several names that are written alike fits: its id, its tactic, what it is called."""
    if name.term.kind != "technique":
        return _RANK[name.term.kind] + 5 * _is_named_by_its_kind(name, hit, near)
    number = near.number(hit)
    here, beside = near.here(number), list(near.beside(number))
    if _own_id(name, here.written):
        return 20
    if any(_own_id(name, around.written) for around in beside):
        return 15
    fit = 1.0 + (not name.said)
    fit += 8 * bool(set(name.term.tactics) & set(here.tactics.values()))
    fit += 4 * any(set(name.term.tactics) & set(around.tactics.values()) for around in beside)
    fit += 4 * (name.term.key.partition(".")[0] in {*here.techniques, *here.plain})
    return fit + 2 * bool(set(name.term.tactics) - PREPARATION)
