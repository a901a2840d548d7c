"""SigmaHQ: one YAML rule per file; the ATT&CK techniques are in its tags.

Format: https://github.com/SigmaHQ/sigma-specification (rules 2.1.0, correlation rules 2.1.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from imports.readers.fields import Fields
from imports.readers.yaml import Document, read_documents
from imports.records import DetectionRuleRecord
from imports.sources.rules import iso_date, severity, technique_id
from imports.upstream import GitHubArchive, Issue, ParseError, Source, SourceFile

LICENSE: Final = "DRL-1.1"
ATTACK: Final = "attack."

# ATT&CK's words for what a rule watches: by product and service, by product, and by category where that says it alone.
SERVICE_PLATFORMS: Final = {
    ("azure", "auditlogs"): "Identity Provider",
    ("azure", "pim"): "Identity Provider",
    ("azure", "riskdetection"): "Identity Provider",
    ("azure", "signinlogs"): "Identity Provider",
    ("cisco", "duo"): "Identity Provider",
    ("gcp", "google_workspace.admin"): "Office Suite",
    ("gcp", "google_workspace.login"): "Office Suite",
}
PRODUCT_PLATFORMS: Final = {
    "windows": "Windows",
    "rpc_firewall": "Windows",
    "linux": "Linux",
    "macos": "macOS",
    "aws": "IaaS",
    "azure": "IaaS",
    "gcp": "IaaS",
    "m365": "Office Suite",
    "google_workspace": "Office Suite",
    "okta": "Identity Provider",
    "onelogin": "Identity Provider",
    "kubernetes": "Containers",
    "docker": "Containers",
    "bitbucket": "SaaS",
    "github": "SaaS",
    "cisco": "Network Devices",
    "fortigate": "Network Devices",
    "fortios": "Network Devices",
    "huawei": "Network Devices",
    "juniper": "Network Devices",
    "paloalto": "Network Devices",
    "zeek": "Network Devices",
}
CATEGORY_PLATFORMS: Final = {"firewall": "Network Devices"}

_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_TACTIC: Final = re.compile(r"[a-z]+([-_][a-z]+)*")
_TECHNIQUE_LIKE: Final = re.compile(r"t[0-9]", re.IGNORECASE)


def parse(file: SourceFile) -> Iterator[DetectionRuleRecord | Issue]:
    """The rules of one file, usually one, and an issue for each tag or date in it that means nothing.

    Raises ParseError for a file in which any rule lacks a title, GUID, log source or detection, or has an unknown severity.
    """
    documents = read_documents(file.text)
    if not documents:
        raise ParseError("the file holds no rule")
    found = [entry for document in documents for entry in _rule(document, file.text)]
    yield from found


def _rule(document: Document, content: str) -> Iterator[DetectionRuleRecord | Issue]:
    rule = Fields.of(document.value, lines=document.lines)
    if "action" in rule:
        rule.refuse("rules that share fields between documents (`action`) are not read", "action")
    section = "correlation" if "correlation" in rule else "detection"
    for key in {"correlation": ("correlation",), "detection": ("detection", "logsource")}[section]:
        if not rule.fields(key).values:
            rule.refuse("expected a mapping, found nothing", key)
    tags = rule.texts("tags")
    created, modified = (iso_date(rule.optional_text(key)) for key in ("date", "modified"))
    yield from _issues(rule, tags)
    yield DetectionRuleRecord(
        external_id=_guid(rule),
        name=rule.text("title").strip(),
        description=rule.optional_text("description"),
        query=document.section(section),
        language="sigma",
        rule_type="correlation" if section == "correlation" else "",
        severity=severity(rule, "level"),
        platforms=_platforms(rule.fields("logsource")),
        status=rule.optional_text("status"),
        techniques=_techniques(tags),
        tactics=_tactics(tags),
        references=rule.text_or_texts("references"),
        author=rule.optional_text("author"),
        license=rule.optional_text("license") or LICENSE,
        created=created or "",
        modified=modified or "",
        tags=tags,
        false_positives=rule.text_or_texts("falsepositives"),
        log_source=_log_source(rule.fields("logsource")),
        simulations=_simulations(rule),
        content=content,
    )


def _guid(rule: Fields) -> str:
    external_id = rule.text("id").strip().lower()
    return external_id if _GUID.fullmatch(external_id) else rule.refuse(f"{external_id!r} is not a GUID", "id")


def _attack_tags(tags: tuple[str, ...]) -> Iterator[str]:
    return (tag[len(ATTACK) :] for tag in tags if tag.lower().startswith(ATTACK))


def _techniques(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(known for tag in _attack_tags(tags) if (known := technique_id(tag))))


def _tactics(tags: tuple[str, ...]) -> tuple[str, ...]:
    names = (tag.lower() for tag in _attack_tags(tags))
    return tuple(dict.fromkeys(name.replace("_", "-") for name in names if _TACTIC.fullmatch(name)))


def _platforms(source: Fields) -> tuple[str, ...]:
    product, category, service = (source.optional_text(key).lower() for key in ("product", "category", "service"))
    if product:
        platform = SERVICE_PLATFORMS.get((product, service)) or PRODUCT_PLATFORMS.get(product)
    else:
        platform = CATEGORY_PLATFORMS.get(category)
    return (platform,) if platform else ()


def _log_source(source: Fields) -> dict[str, str]:
    texts = {key: source.optional_text(key) for key in ("product", "category", "service")}
    return {key: text for key, text in texts.items() if text}


def _simulations(rule: Fields) -> tuple[str, ...]:
    tests = (test.optional_text("atomic_guid").strip().lower() for test in rule.each("simulation"))
    return tuple(dict.fromkeys(guid for guid in tests if _GUID.fullmatch(guid)))


def _issues(rule: Fields, tags: tuple[str, ...]) -> Iterator[Issue]:
    for tag in _attack_tags(tags):
        if _TECHNIQUE_LIKE.match(tag) and technique_id(tag) is None:
            yield Issue(message=f"the tag `{ATTACK}{tag}` is not an ATT&CK technique id", line=rule.line("tags"))
    for key in ("date", "modified"):
        if iso_date(rule.optional_text(key)) is None:
            yield Issue(message=f"`{key}` is not a date: {rule.optional_text(key)!r}", line=rule.line(key))


SOURCE: Final = Source(
    slug="sigma",
    label="SigmaHQ detection rules",
    license=LICENSE,
    homepage="https://github.com/SigmaHQ/sigma",
    fetch=(GitHubArchive("SigmaHQ/sigma", "master"),),
    files=("rules*/**/*.yml",),
    parse=parse,
    every=timedelta(days=30),
)
