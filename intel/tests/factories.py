"""Made-up threat actors."""

from itertools import count
from typing import Any

from catalog.tests.factories import provenance, resolved
from intel.models import ThreatActor, ThreatActorTechnique

_numbers = count(1)


def make_actor(*published_ids: str, **fields: Any) -> ThreatActor:
    """An active actor that uses techniques; T1059 unless told otherwise."""
    number = next(_numbers)
    standing = {
        "mitre_id": f"G{9000 + number}",
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
