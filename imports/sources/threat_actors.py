"""MITRE CTI threat actors: the groups of the ATT&CK bundle, what they use, and what their descriptions say about them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from imports.readers.attack_graph import Links, attack_id, common_fields, distinct_names, published
from imports.readers.attribution import profile
from imports.readers.stix import (
    AttackPattern,
    Bundle,
    Campaign,
    Described,
    IntrusionSet,
    Malware,
    Relationship,
    Software,
    Tool,
    read_bundle,
)
from imports.records import Record, TechniqueUse, ThreatActorRecord
from imports.sources.attack import CTI_BUNDLE, ENTERPRISE, release_of
from imports.upstream import Issue, ParseError, Source, SourceFile, Version

KINDS = (AttackPattern, Campaign, IntrusionSet, Malware, Relationship, Tool)


def parse(file: SourceFile) -> Iterator[Record | Issue | Version]:
    """One record for each group, sorted by ATT&CK id. Raises ParseError when the bundle holds no group."""
    bundle = read_bundle(file.data, KINDS)
    if not bundle.of(IntrusionSet):
        raise ParseError("the bundle holds no threat actor (no readable `intrusion-set` object)")
    links = Links(bundle, ("uses", "attributed-to", "revoked-by"))
    actors, issues = published(bundle, IntrusionSet)
    campaigns = _campaigns_by_actor(bundle, links)
    yield Version(release_of(bundle))
    yield from bundle.issues
    yield from links.issues
    yield from issues
    for actor in actors:
        successor, issues = links.successor(actor, IntrusionSet)
        yield from issues
        yield _record(actor, successor, links, campaigns.get(attack_id(actor), []))


def _campaigns_by_actor(bundle: Bundle, links: Links) -> dict[str, list[Campaign]]:
    """ATT&CK id of a group -> the active campaigns that are attributed to it."""
    found: dict[str, list[Campaign]] = {}
    campaigns, _ = published(bundle, Campaign)
    for campaign in campaigns:
        if campaign.is_active:
            for actor_id in links.targets("attributed-to", campaign, IntrusionSet):
                found.setdefault(actor_id, []).append(campaign)
    return found


def _record(actor: IntrusionSet, successor: str, links: Links, campaigns: list[Campaign]) -> ThreatActorRecord:
    said = profile((actor.name, *(actor.aliases or ())), actor.description or "")
    return ThreatActorRecord(
        **common_fields(actor),
        aliases=distinct_names(actor.aliases),
        country=said.country,
        motivation=said.motivation,
        target_sectors=said.target_sectors,
        target_regions=said.target_regions,
        attributions=said.attributions,
        revoked_by=successor,
        techniques=_uses(actor, AttackPattern, links, campaigns),
        software=_uses(actor, Software, links, campaigns),
    )


def _uses(
    actor: IntrusionSet, kind: type[Described], links: Links, campaigns: list[Campaign]
) -> tuple[TechniqueUse, ...]:
    """Direct uses, and those that come through campaigns, which say so."""
    found = links.uses("uses", actor, kind)
    for campaign in campaigns:
        found += links.uses("uses", campaign, kind, attack_id(campaign))
    return tuple(sorted(found, key=lambda use: (use.published_id, use.campaign)))


SOURCE = Source(
    slug="threat-actors",
    label="MITRE CTI threat actors",
    license="ATT&CK Terms of Use",
    homepage="https://attack.mitre.org/groups/",
    fetch=(CTI_BUNDLE,),
    parse=parse,
    every=timedelta(days=90),
    complete=True,
    taxii=ENTERPRISE,
    notes=(
        "Country, motivation, sectors and regions are read from the description, only where it says so of the group.",
        "Techniques that come through an attributed campaign carry the campaign's id.",
    ),
)
