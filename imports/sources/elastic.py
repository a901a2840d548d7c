"""Elastic's detection rules: one TOML rule per file, and the map from one ATT&CK version to the next.

Format: https://github.com/elastic/detection-rules (`detection_rules/rule.py`, `detection_rules/etc/attack-version-maps`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from imports.readers.fields import Fields
from imports.readers.toml import load_toml
from imports.readers.yaml import load_yaml
from imports.records import DetectionRuleRecord, Record, TechniqueCrosswalkRecord
from imports.sources.rules import iso_date, severity, technique_id
from imports.upstream import GitHubArchive, Issue, Source, SourceFile

LICENSE: Final = "Elastic-2.0"
FRAMEWORK: Final = "MITRE ATT&CK"
MAPS: Final = "detection_rules/etc/attack-version-maps/"
BUILDING_BLOCKS: Final = "rules_building_block/"
DEPRECATED: Final = "rules/_deprecated/"
WITHOUT_QUERY: Final = "machine_learning"

# ATT&CK's words for the systems that rules tag ("OS: Linux", in old rules "Linux"), and for where their events come from.
SYSTEMS: Final = {"Windows": "Windows", "Linux": "Linux", "macOS": "macOS"}
INTEGRATION_PLATFORMS: Final = {
    "auditd_manager": "Linux",
    "sysmon_linux": "Linux",
    "windows": "Windows",
    "aws": "IaaS",
    "aws_bedrock": "IaaS",
    "aws_bedrock_agentcore": "IaaS",
    "azure": "IaaS",
    "azure_openai": "IaaS",
    "gcp": "IaaS",
    "cloud_defend": "Containers",
    "kubernetes": "Containers",
    "entityanalytics_entra_id": "Identity Provider",
    "entityanalytics_okta": "Identity Provider",
    "okta": "Identity Provider",
    "google_workspace": "Office Suite",
    "microsoft_exchange_online_message_trace": "Office Suite",
    "o365": "Office Suite",
    "github": "SaaS",
    "cisco_ftd": "Network Devices",
    "corelight": "Network Devices",
    "fortinet_fortigate": "Network Devices",
    "network_traffic": "Network Devices",
    "panw": "Network Devices",
    "pfsense": "Network Devices",
    "sonicwall_firewall": "Network Devices",
    "suricata": "Network Devices",
    "zeek": "Network Devices",
}
FOLDER_PLATFORMS: Final = {
    "linux": "Linux",
    "macos": "macOS",
    "network": "Network Devices",
    "windows": "Windows",
    **INTEGRATION_PLATFORMS,
}
DOMAIN_PLATFORMS: Final = {
    "Cloud": "IaaS",
    "Container": "Containers",
    "Containers": "Containers",
    "Kubernetes": "Containers",
    "Network": "Network Devices",
    "SaaS": "SaaS",
}

_FOLDER: Final = re.compile(r"rules/(?:integrations/)?([^/]+)/")
_TECHNIQUE_SECTIONS: Final = ("techniques", "subtechniques")


def parse(file: SourceFile) -> Iterator[Record | Issue]:
    """The rule of one file, or the changed ids of one version map, and an issue for each id or date in it that means nothing.

    Raises ParseError for a rule without an id, name, type, severity or (unless a machine learning job takes its place) query.
    """
    if file.path.startswith(MAPS):
        yield from _crosswalk(Fields.of(load_yaml(file.text)))
    else:
        yield from _rule(file, Fields.of(load_toml(file.text)))


def _rule(file: SourceFile, document: Fields) -> Iterator[Record | Issue]:
    rule, metadata = document.fields("rule"), document.fields("metadata")
    tags, integrations = rule.texts("tags"), metadata.text_or_texts("integration")
    published_ids = tuple(_published_ids(rule))
    kind = rule.text("type")
    created, modified = (iso_date(metadata.optional_text(key)) for key in ("creation_date", "updated_date"))
    record = DetectionRuleRecord(
        external_id=rule.text("rule_id").strip(),
        name=rule.text("name").strip(),
        description=rule.optional_text("description"),
        query=rule.optional_text("query") if kind == WITHOUT_QUERY else rule.text("query"),
        language=rule.optional_text("language"),
        rule_type=kind,
        severity=severity(rule, "severity") or rule.text("severity"),
        risk_score=rule.integer("risk_score"),
        platforms=_platforms(file.path, tags, integrations),
        status="deprecated" if file.path.startswith(DEPRECATED) else metadata.optional_text("maturity"),
        techniques=tuple(dict.fromkeys(known for text in published_ids if (known := technique_id(text)))),
        tactics=_tactics(rule),
        references=rule.texts("references"),
        author=", ".join(rule.text_or_texts("author")),
        license=rule.optional_text("license") or LICENSE,
        created=created or "",
        modified=modified or "",
        tags=tags,
        false_positives=rule.texts("false_positives"),
        log_source=_log_source(rule.text_or_texts("index"), integrations),
        building_block=file.path.startswith(BUILDING_BLOCKS) or "building_block_type" in rule,
        content=file.text,
    )
    yield from _issues(metadata, published_ids)
    yield record


def _threats(rule: Fields) -> Iterator[Fields]:
    return (threat for threat in rule.each("threat") if threat.optional_text("framework") == FRAMEWORK)


def _published_ids(rule: Fields) -> Iterator[str]:
    for threat in _threats(rule):
        for technique in threat.each("technique"):
            yield technique.text("id")
            yield from (subtechnique.text("id") for subtechnique in technique.each("subtechnique"))


def _tactics(rule: Fields) -> tuple[str, ...]:
    names = (threat.fields("tactic").optional_text("name") for threat in _threats(rule))
    return tuple(dict.fromkeys("-".join(name.lower().split()) for name in names if name.strip()))


def _platforms(path: str, tags: tuple[str, ...], integrations: tuple[str, ...]) -> tuple[str, ...]:
    """From what says most: the systems that the tags name, the integrations, the folder, the domains that the tags name."""
    folder = _FOLDER.match(path)
    domains = tuple(tag.removeprefix("Domain: ") for tag in tags if tag.startswith("Domain: "))
    for words, names in (
        (SYSTEMS, tuple(tag.removeprefix("OS: ") for tag in tags)),
        (_integration_platforms(tags), integrations),
        (FOLDER_PLATFORMS, (folder[1],) if folder else ()),
        (DOMAIN_PLATFORMS, domains),
    ):
        if found := tuple(dict.fromkeys(words[name] for name in names if name in words)):
            return found
    return ()


def _integration_platforms(tags: tuple[str, ...]) -> dict[str, str]:
    """The integration "azure" delivers Entra ID's logs too; only a tag tells that a rule reads those."""
    if any(tag.startswith("Data Source: ") and "Entra ID" in tag for tag in tags):
        return {**INTEGRATION_PLATFORMS, "azure": "Identity Provider"}
    return INTEGRATION_PLATFORMS


def _log_source(indexes: tuple[str, ...], integrations: tuple[str, ...]) -> dict[str, str]:
    lists = {"index": indexes, "integration": integrations}
    return {key: ", ".join(names) for key, names in lists.items() if names}


def _issues(metadata: Fields, published_ids: tuple[str, ...]) -> Iterator[Issue]:
    for text in published_ids:
        if technique_id(text) is None:
            yield Issue(message=f"{text!r} in `rule.threat` is not an ATT&CK technique id")
    for key in ("creation_date", "updated_date"):
        if iso_date(metadata.optional_text(key)) is None:
            yield Issue(message=f"`metadata.{key}` is not a date: {metadata.optional_text(key)!r}")


def _crosswalk(version_map: Fields) -> Iterator[Record | Issue]:
    if version_map.text("framework") != FRAMEWORK:
        return
    old_version = version_map.written("source_version") or version_map.text("source_version")
    new_version = version_map.written("target_version") or version_map.text("target_version")
    for section in _TECHNIQUE_SECTIONS:
        entries = version_map.fields(section)
        for old_id in entries.values:
            if old_id not in entries:
                continue
            entry = entries.fields(old_id)
            yield TechniqueCrosswalkRecord(
                old_version=old_version,
                new_version=new_version,
                old_id=old_id,
                new_id=entry.text("id"),
                new_name=entry.text("name"),
            )


SOURCE: Final = Source(
    slug="elastic",
    label="Elastic detection rules",
    license=LICENSE,
    homepage="https://github.com/elastic/detection-rules",
    fetch=(GitHubArchive("elastic/detection-rules", "main"),),
    files=("rules/**/*.toml", "rules_building_block/**/*.toml", f"{MAPS}*.yaml"),
    parse=parse,
    every=timedelta(days=90),
)
