"""Threat actors, and what the news say."""

from intel.models.actors import ThreatActor, ThreatActorSoftware, ThreatActorTechnique
from intel.models.feeds import Feed, FeedScan
from intel.models.items import IntelFlag, IntelItem, Mention

__all__ = [
    "Feed",
    "FeedScan",
    "IntelFlag",
    "IntelItem",
    "Mention",
    "ThreatActor",
    "ThreatActorSoftware",
    "ThreatActorTechnique",
]
