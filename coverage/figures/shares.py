"""How a set of techniques stands, for the bar beside an actor, a family or a control: claimed, proven, missed.

`TechniqueFacts.now()` asks the database, in three queries; everything else is pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from django.db.models import Count, Max

from catalog.models import Technique
from coverage.charts.drawing import share
from coverage.figures.claims import CLAIM
from coverage.figures.standing import percent
from coverage.models import Test

LOOKS: Final = {"proven": "good", "missed": "gap", "claimed": "claim", "nothing": "none"}
"""Part of a bar -> its fill, best first."""
PATTERNS: Final = {"missed": "p-cross", "claimed": "p-hatch"}
"""Part of a bar -> the pattern over its fill: no part is told by its hue alone."""
WORDS: Final = {
    "proven": "proven",
    "missed": "only missed",
    "claimed": "claimed, not proven",
    "nothing": "neither",
}


class Missed(NamedTuple):
    """Validated tests of one technique on which less was seen than they expected: how many, and the newest of them."""

    tests: int
    newest: int


class Part(NamedTuple):
    """One part of a bar; x and width are percentages for SVG."""

    name: str
    words: str
    number: int
    x: str
    width: str
    look: str
    pattern: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many of some active techniques stand how. A technique can be claimed, proven and missed at once.

    `claimed`: a live detection rule names it. `proven`: a validated test of its own met what it expected. `missed`: on a
    validated test less was seen than expected; `proven_gaps` are those of them that no test proved.
    """

    techniques: int
    claimed: int
    proven: int
    missed: int
    proven_gaps: int
    open_claims: int

    @property
    def proven_percent(self) -> float:
        """The proven ones in percent, with one decimal."""
        return percent(self.proven, self.techniques)

    @property
    def claimed_percent(self) -> float:
        """The claimed ones in percent, with one decimal."""
        return percent(self.claimed, self.techniques)

    @property
    def parts(self) -> list[Part]:
        """The bar: each technique in one part, in that which weighs most."""
        numbers = {"proven": self.proven, "missed": self.proven_gaps, "claimed": self.open_claims}
        numbers["nothing"] = self.techniques - sum(numbers.values())
        return list(self._laid(numbers))

    def _laid(self, numbers: Mapping[str, int]) -> Iterator[Part]:
        start = 0
        for name, number in numbers.items():
            place = (share(start, self.techniques), share(number, self.techniques))
            yield Part(name, WORDS[name], number, *place, LOOKS[name], PATTERNS.get(name, ""))
            start += number

    def for_api(self) -> dict[str, float]:
        """The numbers by name, with the shares in percent."""
        names = ("techniques", "claimed", "claimed_percent", "proven", "proven_percent", "missed", "proven_gaps")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueFacts:
    """The active techniques by ATT&CK id with their names, and which of them are claimed, proven, and missed."""

    active: Mapping[str, str]
    claimed: Collection[str]
    proven: Collection[str]
    missed: Mapping[str, Missed]

    @classmethod
    def now(cls) -> Self:
        """The catalogue and our tests as they are: three queries."""
        rows = list(Technique.objects.active().order_by().values_list("mitre_id", "name", "coverage__proven"))
        rules = CLAIM["rules"].references().exclude(technique=None)
        tests = Test.objects.missed().order_by().values_list("technique_id")
        return cls(
            active={mitre_id: name for mitre_id, name, _ in rows},
            claimed=frozenset(map(str, rules.values_list("technique_id", flat=True).distinct())),
            proven=frozenset(mitre_id for mitre_id, _, proven in rows if proven),
            missed={mitre_id: Missed(*found) for mitre_id, *found in tests.annotate(n=Count("pk"), newest=Max("pk"))},
        )

    def shares(self, techniques: Iterable[str | None]) -> Shares:
        """How these techniques stand; ids that are not active do not count, and each counts once."""
        known = {mitre_id for mitre_id in techniques if mitre_id in self.active}
        proven = known & set(self.proven)
        missed = known & self.missed.keys()
        claimed = known & set(self.claimed)
        return Shares(
            techniques=len(known),
            claimed=len(claimed),
            proven=len(proven),
            missed=len(missed),
            proven_gaps=len(missed - proven),
            open_claims=len(claimed - proven - missed),
        )
