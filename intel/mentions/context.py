"""What stands around a mention: in its sentence and in those next to it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from intel.mentions.ids import IdHit
from intel.mentions.lexicon import Hit
from intel.mentions.naming import Name, Weight
from intel.mentions.sentences import Sentences
from intel.mentions.tokens import Tokens
from intel.mentions.words import ALLOWING, ATTACKERS, COUNTED, HOSTILE, SELLERS, TECHNICAL, UPKEEP

VAGUE_ACTORS = frozenset({"actor", "actors", "tactic", "tactics", "technique", "techniques", "operators"})


@dataclass(slots=True)
class Around:
    """What one sentence says: names that need no context, by what they name; `ids` are those of techniques.

    `written` holds every id.
    `plain` are the techniques whose names are plain English. `attacked` and `sold` tell of words for attackers and for
    sellers, `technical` are the words for what is attacked, `hostile` those that nobody has without an attack. `upkeep` and
    `counted` tell of words for repairs (or for flaws, which let somebody attack) and for statistics; `headline` is whether
    nearly every word is capitalised.
    """

    written: set[str] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)
    tactics: dict[str, str] = field(default_factory=dict)
    actors: dict[str, str] = field(default_factory=dict)
    software: dict[str, str] = field(default_factory=dict)
    techniques: dict[str, str] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)
    attacked: bool = False
    technical: frozenset[str] = frozenset()
    hostile: frozenset[str] = frozenset()
    upkeep: bool = False
    counted: bool = False
    sold: bool = False
    headline: bool = False

    def add_name(self, name: Name, *, as_tactic: bool) -> None:
        """Take note of a name, if it counts for others; `as_tactic` is whether the name of a tactic is written as one."""
        term = name.term
        if term.kind == "tactic":
            if as_tactic:
                self.tactics[term.key] = term.text
        elif term.kind == "technique":
            if name.weight >= Weight.PROPER:
                self.techniques[term.key] = term.text
            elif name.weight > Weight.THING:
                self.plain[term.key] = term.text
        elif name.weight >= Weight.PROPER:
            known = self.actors if term.kind == "actor" else self.software
            known[term.key] = term.text

    def add_id(self, hit: IdHit) -> None:
        """Take note of an id."""
        known = {"technique": self.ids, "actor": self.actors, "software": self.software, "tactic": self.tactics}
        if hit.confidence >= 0.9 and hit.kind in known:
            self.written.add(hit.key)
            known[hit.kind][hit.key] = hit.key


class Surroundings:
    """The sentences of one text with what they say."""

    def __init__(self, text: str, tokens: Tokens, hits: Iterable[Hit | IdHit]) -> None:
        self.tokens = tokens
        self.sentences = Sentences(text)
        self._around: dict[int, Around] = {}
        for hit in hits:
            if isinstance(hit, Hit) and hit.is_thing:
                continue
            number = self.number(hit)
            around = self._of(number)
            if isinstance(hit, IdHit):
                around.add_id(hit)
                continue
            as_tactic = self._is_tactic(hit, around, number)
            for name in hit.names:
                around.add_name(name, as_tactic=as_tactic)

    def number(self, hit: Hit | IdHit) -> int:
        """The number of the sentence in which a hit stands."""
        return self.sentences.index(self.tokens.starts[hit.first])

    def here(self, number: int) -> Around:
        """What a sentence says."""
        return self._of(number)

    def words(self, number: int) -> set[str]:
        """The words of a sentence, in lower case."""
        end = bisect_left(self.tokens.starts, self.sentences.span(number)[1])
        return set(self.tokens.lower[self.first_word(number) : end])

    def has_ids(self, number: int) -> bool:
        """Whether an id stands in a sentence or in one beside it."""
        near = (self._around.get(other) for other in (number - 1, number, number + 1))
        return any(around.written for around in near if around)

    def beside(self, number: int) -> Iterator[Around]:
        """What the sentences before and after say, where they say anything."""
        return (self._around[other] for other in (number - 1, number + 1) if other in self._around)

    def first_word(self, number: int) -> int:
        """The number of the first word of a sentence."""
        return bisect_left(self.tokens.starts, self.sentences.span(number)[0])

    def _is_tactic(self, hit: Hit, around: Around, number: int) -> bool:
        """Whether the name of a tactic means it: two words (but not an initial access broker), or one that is capitalised in
        running text or heads a list.
        """
        if hit.last > hit.first:
            return self.tokens.lower[hit.last + 1 : hit.last + 2] not in (["broker"], ["brokers"])
        after = self.tokens.gaps[hit.last + 1]
        if not self.tokens.words[hit.first][0].isupper():
            return False
        return after.startswith(":") or (not around.headline and hit.first > self.first_word(number))

    def _of(self, number: int) -> Around:
        if number not in self._around:
            self._around[number] = self._read(number)
        return self._around[number]

    def _read(self, number: int) -> Around:
        first, end = self.first_word(number), bisect_left(self.tokens.starts, self.sentences.span(number)[1])
        lower, words = self.tokens.lower[first:end], self.tokens.words[first:end]
        said = set(lower)
        threats = any(map(_is_threat_actor, lower, lower[1:]))
        long = [word for word in words[1:] if len(word) > 3 and word.isalpha()]
        capitals = sum(word[0].isupper() for word in long)
        attackers = bool(said & (ATTACKERS - VAGUE_ACTORS))
        supposed = attackers and bool(said & ALLOWING) and not said & HOSTILE
        return Around(
            attacked=(attackers and not supposed) or threats,
            technical=TECHNICAL & said,
            hostile=HOSTILE & said,
            upkeep=bool(said & UPKEEP) or supposed,
            counted=bool(said & COUNTED),
            sold=bool(said & SELLERS),
            headline=len(long) >= 3 and capitals >= 0.7 * len(long),
        )


def _is_threat_actor(word: str, following: str) -> bool:
    """Whether vague words mean an attacker, or ATT&CK itself, here."""
    if word == "att" and following == "ck":
        return True
    return following in VAGUE_ACTORS and word in {"threat", "ransomware", "malware", "attack", "cybercrime", "state"}
