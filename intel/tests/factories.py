"""Made-up threat actors and news."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from catalog.tests.factories import provenance, resolved
from intel.models import Feed, IntelItem, Mention, ThreatActor, ThreatActorTechnique

_numbers = count(100_001)  # as many digits for every row: names and ids sort as they were made


def make_actor(*published_ids: str, **fields: Any) -> ThreatActor:
    """An active actor that uses techniques; T1059 unless told otherwise."""
    number = next(_numbers)
    standing = {
        "mitre_id": f"G{number}",
        "stix_id": f"intrusion-set--{number}",
        "name": f"Actor {number}",
        "aliases": [f"Actor {number}", f"Alias {number}"],
        "description": "Who they are said to be.",
        "url": f"https://example.org/groups/{number}",
    }
    actor = ThreatActor.objects.create(**provenance("threat-actors") | standing | fields)
    for published_id in published_ids or ("T1059",):
        make_use(actor, published_id)
    return actor


def make_use(actor: ThreatActor, published_id: str, *, campaign: str = "", text: str = "") -> ThreatActorTechnique:
    """One use of a technique by an actor, through a campaign if `campaign` names one."""
    told = text or f"{actor.name} has used {published_id}."
    return ThreatActorTechnique.objects.create(actor=actor, campaign=campaign, text=told, **resolved(published_id))


def make_feed(**fields: Any) -> Feed:
    """A feed that was never read."""
    number = next(_numbers)
    return Feed.objects.create(**{"name": f"Feed {number}", "url": f"https://www.cisa.gov/{number}.xml"} | fields)


def make_item(*technique_ids: str, actors: tuple[str, ...] = (), confident: bool = True, **fields: Any) -> IntelItem:
    """An open item whose text names these techniques and actors, each in a sentence of its own."""
    number = next(_numbers)
    seen = datetime(2026, 11, 1, 12, tzinfo=UTC)
    standing = {
        "title": f"Item {number}",
        "url": f"https://example.org/news/{number}",
        "key": f"example.org/news/{number}",
        "summary": " ".join(f"They used {name}." for name in (*technique_ids, *actors)),
        "at": seen,
        "first_seen_at": seen,
        "changed_at": seen,
        "content_hash": f"{number:064x}",
    }
    feed = fields.pop("feed", None) or Feed.objects.first() or make_feed()
    item = IntelItem.objects.create(feed=feed, **standing | fields)
    for name in (*technique_ids, *actors):
        make_mention(item, name, confident=confident)
    return item


def make_mention(item: IntelItem, name: str, *, confident: bool = True) -> Mention:
    """That the item's text names a technique, or an actor, by its id."""
    start = item.text.index(name)
    kind = Mention.Kind.ACTOR if name.startswith("G") else Mention.Kind.TECHNIQUE
    return Mention.objects.create(
        item=item,
        kind=kind,
        key=name,
        text=name,
        start=start,
        end=start + len(name),
        sentence=f"They used {name}.",
        confidence=1.0 if confident else 0.3,
        reason="ATT&CK id",
        confident=confident,
    )
