"""What the inbox shows of the news: rows with why they matter, one item with its marked text, and who may be given one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from aegis.accounts.models import User
from aegis.accounts.policy import ACTIONS
from coverage.news.ranking import Standing, item_weight, named_techniques, standings
from intel.highlighting import Run, runs
from intel.models import IntelItem, Mention, ThreatActor

AROUND = 260
"""Characters of a text that a row shows."""


@dataclass(frozen=True, slots=True)
class Row:
    """One item of the list. `sentence` is the one behind the title that names what matters most; both are marked."""

    item: IntelItem
    named: Sequence[Standing]
    actors: Sequence[ThreatActor]
    title: Sequence[Run]
    sentence: Sequence[Run]

    @property
    def why(self) -> str:
        """Why it stands where it stands; empty for one that names neither a technique nor an actor."""
        if self.foremost:
            return self.foremost.why
        return f"It names {' and '.join(actor.name for actor in self.actors[:3])}" if self.actors else ""

    @property
    def foremost(self) -> Standing | None:
        """The technique that matters most."""
        return max(self.named, key=lambda one: one.weight, default=None)

    @property
    def weight(self) -> int:
        """What it is ranked by."""
        return item_weight(self.named, len(self.actors))


def rows(items: Iterable[IntelItem], about: str = "") -> list[Row]:
    """The rows of items that are there with their mentions. Three queries.

    `about` is the technique whose sentences are shown; by default it is the one that matters most.
    """
    found = list(items)
    named = named_techniques(item.pk for item in found)
    known = standings(key for keys in named.values() for key in keys)
    actors = ThreatActor.objects.in_bulk(
        {one.key for item in found for one in item.mentions.all() if one.kind == Mention.Kind.ACTOR and one.confident},
        field_name="mitre_id",
    )
    return [_row(item, [known[key] for key in named.get(item.pk, []) if key in known], actors, about) for item in found]


def with_mentions(items: QuerySet[IntelItem]) -> QuerySet[IntelItem]:
    """The items with all that a row shows of them."""
    return items.select_related("feed", "assigned_to", "decided_by").prefetch_related("mentions")


def in_order(ids: Sequence[int]) -> list[IntelItem]:
    """The items of these ids, in their order."""
    found = with_mentions(IntelItem.objects.filter(pk__in=ids)).in_bulk()
    return [found[pk] for pk in ids if pk in found]


def people() -> QuerySet[User]:
    """Whom an item can be given to."""
    return User.objects.filter(is_active=True, role__in=ACTIONS["intel.triage"]).order_by("username")


def _row(item: IntelItem, named: Sequence[Standing], actors: dict[str, ThreatActor], about: str) -> Row:
    mentions = list(item.mentions.all())
    keys = dict.fromkeys(one.key for one in mentions if one.kind == Mention.Kind.ACTOR and one.confident)
    sure = [one for one in mentions if one.confident and one.kind != Mention.Kind.CVE]
    foremost = max(named, key=lambda one: one.weight).technique.mitre_id if named else ""
    return Row(
        item=item,
        named=named,
        actors=[actors[key] for key in keys if key in actors],
        title=runs(item.text, sure, 0, len(item.title)),
        sentence=_sentence(item, sure, about or foremost),
    )


def _sentence(item: IntelItem, mentions: Sequence[Mention], about: str) -> list[Run]:
    """The sentence behind the title that names a technique (or a sub-technique of it), marked; else the first that names
    anything; empty if there is none."""
    behind = [one for one in mentions if one.start > len(item.title)]
    place = next((one for one in behind if about and one.key.startswith(about)), next(iter(behind), None))
    if place is None:
        return []
    start = item.text.find(place.sentence, max(0, place.end - len(place.sentence)))
    if not 0 <= start <= place.start:
        start = place.start
    end = max(start + len(place.sentence), place.end)
    start = max(start, place.start - AROUND)
    return runs(item.text, mentions, start, min(end, place.end + AROUND))
