"""MITRE ATT&CK Enterprise: one STIX bundle with tactics, techniques, mitigations, software, campaigns and detection."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from imports.readers.attack_graph import Links, attack_id, common_fields, distinct_names, published
from imports.readers.attack_hierarchy import parents
from imports.readers.stix import (
    Analytic,
    AttackPattern,
    Bundle,
    Campaign,
    Collection,
    CourseOfAction,
    DataComponent,
    DetectionStrategy,
    IntrusionSet,
    LogSourceEntry,
    Malware,
    Matrix,
    Relationship,
    Software,
    Tactic,
    Tool,
    moment,
    read_bundle,
)
from imports.records import (
    AnalyticRecord,
    AttackCampaignRecord,
    AttackReleaseRecord,
    DataComponentRecord,
    DetectionStrategyRecord,
    LogSource,
    MitigationRecord,
    Record,
    SoftwareRecord,
    TacticRecord,
    TechniqueRecord,
)
from imports.upstream import HttpsFile, Issue, ParseError, Source, SourceFile, TaxiiCollection, Version

DOMAIN = "enterprise-attack"
CTI_BUNDLE = HttpsFile("https://raw.githubusercontent.com/mitre/cti/master/enterprise-attack/enterprise-attack.json")
ENTERPRISE = TaxiiCollection(
    "x-mitre-collection--1f5f1533-f617-4ca8-9ab4-6a02367fa019", "Enterprise ATT&CK", CTI_BUNDLE
)
KINDS = (
    Analytic,
    AttackPattern,
    Campaign,
    Collection,
    CourseOfAction,
    DataComponent,
    DetectionStrategy,
    IntrusionSet,
    Malware,
    Matrix,
    Relationship,
    Tactic,
    Tool,
)
LINK_TYPES = ("subtechnique-of", "revoked-by", "uses", "mitigates", "detects", "attributed-to")

# When each release came out: index.json of https://github.com/mitre-attack/attack-stix-data. The newest object of a
# release was modified after the release before it and not after its own date.
RELEASES = (
    (date(2020, 7, 15), "7.2"),
    (date(2020, 10, 27), "8.0"),
    (date(2020, 11, 12), "8.1"),
    (date(2021, 1, 27), "8.2"),
    (date(2021, 4, 29), "9.0"),
    (date(2021, 10, 21), "10.0"),
    (date(2021, 11, 10), "10.1"),
    (date(2022, 4, 25), "11.0"),
    (date(2022, 5, 11), "11.1"),
    (date(2022, 5, 24), "11.2"),
    (date(2022, 7, 7), "11.3"),
    (date(2022, 10, 25), "12.0"),
    (date(2022, 11, 8), "12.1"),
    (date(2023, 4, 25), "13.0"),
    (date(2023, 5, 9), "13.1"),
    (date(2023, 10, 31), "14.0"),
    (date(2023, 11, 14), "14.1"),
    (date(2024, 4, 23), "15.0"),
    (date(2024, 5, 2), "15.1"),
    (date(2024, 10, 31), "16.0"),
    (date(2024, 11, 12), "16.1"),
    (date(2025, 4, 22), "17.0"),
    (date(2025, 5, 6), "17.1"),
    (date(2025, 10, 28), "18.0"),
    (date(2025, 11, 13), "18.1"),
)


def release_version(newest: datetime) -> str:
    """The release whose newest object was modified at `newest`: "18.1"; "18.1+2026-04-28" is a later, unknown one."""
    day = newest.astimezone(UTC).date()
    if day <= RELEASES[0][0]:
        return f"{RELEASES[0][1]} or older"
    for released, version in RELEASES:
        if day <= released:
            return version
    return f"{RELEASES[-1][1]}+{day.isoformat()}"


def parse(file: SourceFile) -> Iterator[Record | Issue | Version]:
    """All records of one bundle, sorted by ATT&CK id within each kind. Raises ParseError when it holds no technique."""
    bundle = read_bundle(file.data, KINDS)
    if not bundle.of(AttackPattern):
        raise ParseError("the bundle holds no ATT&CK technique (no readable `attack-pattern` object)")
    links = Links(bundle, LINK_TYPES)
    yield from bundle.issues
    yield from links.issues
    yield Version(release_of(bundle))
    yield _release(bundle)
    yield from _tactics(bundle)
    yield from _techniques(bundle, links)
    yield from _mitigations(bundle, links)
    yield from _software(bundle, links)
    yield from _campaigns(bundle, links)
    yield from _detection_strategies(bundle, links)
    yield from _analytics(bundle)
    yield from _data_components(bundle)


def release_of(bundle: Bundle) -> str:
    """The ATT&CK release that the bundle holds, for example "18.1". Raises ParseError when nothing in it tells."""
    return _collection_version(bundle) or release_version(newest_of(bundle))


def newest_of(bundle: Bundle) -> datetime:
    """When the newest object of the bundle was modified. Raises ParseError when no object tells."""
    if bundle.newest is None:
        raise ParseError("no object of the bundle carries a readable `modified` date, so its release cannot be told")
    return bundle.newest


def _release(bundle: Bundle) -> AttackReleaseRecord:
    version = release_of(bundle)
    modified = newest_of(bundle).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return AttackReleaseRecord(domain=DOMAIN, version=version, modified=modified, name=f"Enterprise ATT&CK {version}")


def _collection_version(bundle: Bundle) -> str:
    """The version that a STIX 2.1 bundle states itself; the STIX 2.0 bundle has no collection object."""
    versions = [
        found.x_mitre_version
        for found in bundle.of(Collection)
        if found.is_active and re.fullmatch(r"\d{1,3}(\.\d{1,3}){0,2}", found.x_mitre_version or "")
    ]
    return versions[0] or "" if versions else ""


def _tactics(bundle: Bundle) -> Iterator[Record | Issue]:
    tactics, issues = published(bundle, Tactic)
    yield from issues
    columns = _matrix_columns(bundle)
    if unplaced := [attack_id(tactic) for tactic in tactics if tactic.is_active and tactic.id not in columns]:
        yield Issue(message=f"the matrix does not place {', '.join(unplaced)}; put behind its other tactics")
    ordered = sorted(tactics, key=lambda tactic: (columns.get(tactic.id, len(columns)), attack_id(tactic)))
    for position, tactic in enumerate(ordered):
        yield TacticRecord(**common_fields(tactic), shortname=tactic.x_mitre_shortname, position=position)


def _matrix_columns(bundle: Bundle) -> dict[str, int]:
    """STIX id of each tactic -> its column, in the newest matrix of the bundle."""
    matrices = [matrix for matrix in bundle.of(Matrix) if matrix.is_active]
    if not matrices:
        return {}
    oldest = datetime.min.replace(tzinfo=UTC)
    matrix = max(matrices, key=lambda one: (moment(one.modified) or oldest, one.id))
    return {stix_id: column for column, stix_id in enumerate(dict.fromkeys(matrix.tactic_refs or ()))}


def _techniques(bundle: Bundle, links: Links) -> Iterator[Record | Issue]:
    techniques, issues = published(bundle, AttackPattern)
    yield from issues
    parent_of, issues = parents(techniques, links)
    yield from issues
    for technique in techniques:
        successor, issues = links.successor(technique, AttackPattern)
        yield from issues
        yield TechniqueRecord(
            **common_fields(technique),
            tactics=_tactic_names(technique),
            platforms=_distinct(technique.x_mitre_platforms),
            is_subtechnique=bool(technique.x_mitre_is_subtechnique),
            parent=parent_of.get(attack_id(technique), ""),
            revoked_by=successor,
        )


def _tactic_names(technique: AttackPattern) -> tuple[str, ...]:
    phases = technique.kill_chain_phases or ()
    return _distinct([phase.phase_name for phase in phases if phase.kill_chain_name == "mitre-attack"])


def _distinct(values: list[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values or ()))


def _mitigations(bundle: Bundle, links: Links) -> Iterator[Record | Issue]:
    mitigations, issues = published(bundle, CourseOfAction)
    yield from issues
    for mitigation in mitigations:
        uses = links.uses("mitigates", mitigation, AttackPattern)
        yield MitigationRecord(**common_fields(mitigation), techniques=tuple(uses))


def _software(bundle: Bundle, links: Links) -> Iterator[Record | Issue]:
    found, issues = published(bundle, Software)
    yield from issues
    for software in found:
        successor, issues = links.successor(software, Software)
        yield from issues
        yield SoftwareRecord(
            **common_fields(software),
            kind=software.kind,
            aliases=distinct_names(software.x_mitre_aliases),
            platforms=_distinct(software.x_mitre_platforms),
            revoked_by=successor,
            techniques=tuple(links.uses("uses", software, AttackPattern)),
        )


def _campaigns(bundle: Bundle, links: Links) -> Iterator[Record | Issue]:
    campaigns, issues = published(bundle, Campaign)
    yield from issues
    for campaign in campaigns:
        for field, value in (("first_seen", campaign.first_seen), ("last_seen", campaign.last_seen)):
            if value and not _day(value):
                yield Issue(message=f"{campaign.id}: `{field}` is not a usable date: {value[:40]!r}")
        yield AttackCampaignRecord(
            **common_fields(campaign),
            aliases=distinct_names(campaign.aliases),
            first_seen=_day(campaign.first_seen),
            last_seen=_day(campaign.last_seen),
            actors=tuple(links.targets("attributed-to", campaign, IntrusionSet)),
            software=tuple(links.targets("uses", campaign, Software)),
            techniques=tuple(links.uses("uses", campaign, AttackPattern)),
        )


def _day(timestamp: str | None) -> str:
    value = moment(timestamp)
    return value.date().isoformat() if value else ""


def _detection_strategies(bundle: Bundle, links: Links) -> Iterator[Record | Issue]:
    strategies, issues = published(bundle, DetectionStrategy)
    yield from issues
    for strategy in strategies:
        uses = links.uses("detects", strategy, AttackPattern)
        yield DetectionStrategyRecord(**common_fields(strategy), techniques=tuple(uses))


def _analytics(bundle: Bundle) -> Iterator[Record | Issue]:
    analytics, issues = published(bundle, Analytic)
    yield from issues
    strategies = _strategies_by_analytic(bundle)
    for analytic in analytics:
        claimants = sorted(strategies.get(analytic.id, ()))
        if len(claimants) > 1:
            yield Issue(message=f"{attack_id(analytic)} belongs to {', '.join(claimants)}; {claimants[0]} was kept")
        yield AnalyticRecord(
            **common_fields(analytic),
            strategy=claimants[0] if claimants else "",
            platforms=_distinct(analytic.x_mitre_platforms),
            log_sources=_log_sources(analytic.x_mitre_log_source_references),
            mutable_elements=tuple(
                {"field": element.field, "description": element.description or ""}
                for element in analytic.x_mitre_mutable_elements or ()
            ),
        )


def _strategies_by_analytic(bundle: Bundle) -> dict[str, set[str]]:
    claims: defaultdict[str, set[str]] = defaultdict(set)
    for strategy in bundle.of(DetectionStrategy):
        for stix_id in strategy.x_mitre_analytic_refs or ():
            if mitre_id := attack_id(strategy):
                claims[stix_id].add(mitre_id)
    return claims


def _log_sources(entries: list[LogSourceEntry] | None) -> tuple[LogSource, ...]:
    return tuple(
        LogSource(name=entry.name, channel=entry.channel or "", data_component=entry.x_mitre_data_component_ref or "")
        for entry in entries or ()
    )


def _data_components(bundle: Bundle) -> Iterator[Record | Issue]:
    """Before release 18 data components had no ATT&CK id, so none is asked for."""
    for component in bundle.of(DataComponent):
        yield DataComponentRecord(**common_fields(component), log_sources=_log_sources(component.x_mitre_log_sources))


SOURCE = Source(
    slug="attack",
    label="MITRE ATT&CK Enterprise",
    license="ATT&CK Terms of Use",
    homepage="https://attack.mitre.org",
    fetch=(CTI_BUNDLE,),
    parse=parse,
    every=timedelta(hours=24),
    complete=True,
    taxii=ENTERPRISE,
    notes=(
        "The STIX 2.0 bundle does not state its release: it is worked out from the date of the newest object.",
        "Relationships that are revoked or deprecated are left out.",
    ),
)
