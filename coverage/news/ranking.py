"""What of the news matters most to us: what is in the news and not covered comes first, and more so the more actors use it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from catalog.models import Technique
from coverage.figures.claims import claims
from coverage.models import TechniqueCoverage
from coverage.techniques.status import Status
from intel.models import IntelItem, Mention

MOST_RANKED: Final = 5_000
"""Older items stand behind these in the order of their dates."""
MOST_ACTORS: Final = 30
ACTOR: Final = 4
"""What an item that says who did it matters more."""
PROVEN_GAP: Final = 60
WEIGHTS: Final[Mapping[str, int]] = {
    Status.NOT_COVERED: 50,
    Status.IN_PROGRESS: 30,
    Status.PARTIAL: 25,
    Status.VALIDATED: 15,
}
WORDS: Final[Mapping[str, str]] = {
    Status.NOT_COVERED: "not covered",
    Status.IN_PROGRESS: "in progress",
    Status.PARTIAL: "partly covered",
    Status.VALIDATED: "validated",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a technique of the current release stands when it is in the news."""

    technique: Technique
    coverage: TechniqueCoverage
    actors: int

    @property
    def badge(self) -> str:
        """Its status as a badge."""
        return "proven_gap" if self.coverage.proven_gap else str(self.coverage.status)

    @property
    def weight(self) -> int:
        """How much it matters: our coverage first, then how many actors use it."""
        return (PROVEN_GAP if self.coverage.proven_gap else WEIGHTS[self.coverage.status]) + min(
            self.actors, MOST_ACTORS
        )

    def asks_because_of(self, link: str) -> bool:
        """Whether it asks for a review now because of what this page tells."""
        return any(reason.get("link") == link for reason in self.coverage.review_reasons)

    @property
    def why(self) -> str:
        """The weight in words."""
        word = "a proven gap" if self.coverage.proven_gap else WORDS[self.coverage.status]
        use = {0: "no known actor uses it", 1: "1 actor uses it"}.get(self.actors, f"{self.actors} actors use it")
        return f"{self.technique.mitre_id} is {word}, {use}"


def standings(mitre_ids: Iterable[str]) -> dict[str, Standing]:
    """The standing of each of these techniques that is active, by ATT&CK id. Two queries."""
    rows = Technique.objects.active().filter(mitre_id__in=set(mitre_ids)).select_related("coverage", "parent")
    found = {row.mitre_id: row for row in rows.defer("description")}
    actors = claims("actors", found) if found else {}
    return {mitre_id: Standing(row, _coverage(row), actors.get(mitre_id, 0)) for mitre_id, row in sorted(found.items())}


def named_techniques(items: Iterable[int]) -> dict[int, list[str]]:
    """The ATT&CK ids that each item names with confidence, in the order of the text; items without any are left out."""
    named: dict[int, dict[str, None]] = defaultdict(dict)
    sure = Mention.objects.filter(item__in=list(items), kind=Mention.Kind.TECHNIQUE, confident=True)
    for item, key in sure.order_by("start").values_list("item_id", "key"):
        named[item][key] = None
    return {item: list(keys) for item, keys in named.items()}


def ranked(items: QuerySet[IntelItem]) -> list[int]:
    """The ids of the items, what matters most first; equals by date, the newest first. Four queries, whatever their number."""
    ids = list(items.order_by("-at", "-pk").values_list("pk", flat=True))
    newest = ids[:MOST_RANKED]
    kinds = (Mention.Kind.TECHNIQUE, Mention.Kind.ACTOR)
    sure = Mention.objects.filter(item__in=items.order_by().values("pk"), kind__in=kinds, confident=True)
    named: dict[int, set[str]] = defaultdict(set)
    for item, key in sure.order_by().values_list("item_id", "key").distinct():
        named[item].add(key)
    known = standings({key for keys in named.values() for key in keys})
    weights = {item: _weight(keys, known) for item, keys in named.items()}
    return [*sorted(newest, key=lambda item: -weights.get(item, 0)), *ids[MOST_RANKED:]]


def item_weight(named: Sequence[Standing], actors: int) -> int:
    """The weight of an item: that of the technique that matters most, and a little for each other one, more for each actor."""
    foremost = max((one.weight for one in named), default=0)
    return foremost + min(max(len(named) - 1, 0), 5) + ACTOR * min(actors, 3)


def _weight(keys: set[str], known: Mapping[str, Standing]) -> int:
    """The weight of an item that names these techniques (T..) and actors (G..)."""
    return item_weight([known[key] for key in keys if key in known], sum(key.startswith("G") for key in keys))


def _coverage(technique: Technique) -> TechniqueCoverage:
    found: TechniqueCoverage | None = getattr(technique, "coverage", None)
    return found or TechniqueCoverage(technique=technique)
