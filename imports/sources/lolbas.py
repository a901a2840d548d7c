"""LOLBAS: one YAML file per Windows binary, library or script, with the commands that abuse it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from imports.readers.fields import Fields
from imports.readers.yaml import load_yaml
from imports.records import Executor, Record, TestTemplateRecord
from imports.sources.emulation import process_logs
from imports.sources.objects import listed, read_each
from imports.upstream import GitHubArchive, Issue, Source, SourceFile

RULE_KINDS: Final = ("Sigma", "Elastic")
SEVERE_CATEGORIES: Final = frozenset({"awl bypass", "credentials", "dump", "tamper", "uac bypass"})
MILD_CATEGORIES: Final = frozenset({"compile", "copy", "decode", "encode", "reconnaissance"})


def parse(file: SourceFile) -> Iterator[Record | Issue]:
    """The commands of one binary, each a template. The format is upstream's `YML-Template.yml`."""
    entry = Fields.of(load_yaml(file.text))
    detections = list(_detections(entry))
    binary = _Binary(
        name=entry.text("Name").strip(),
        key=_key(file.path),
        detection="\n".join(f"{kind}: {text}" for kind, text in detections if kind not in RULE_KINDS),
        rule_links=_web_links(text for kind, text in detections if kind in RULE_KINDS),
        references=_web_links(resource.optional_text("Link") for resource in entry.each("Resources")),
    )
    yield from read_each("command", listed(entry, "Commands"), "Commands", binary.template)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Binary:
    """What a file says about its binary, for each of its commands, and how often each key was seen so far."""

    name: str
    key: str
    detection: str
    rule_links: tuple[str, ...]
    references: tuple[str, ...]
    seen: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def template(self, command: Fields) -> TestTemplateRecord:
        category = command.text("Category").strip()
        published_id = command.text("MitreID").strip()
        privileges = command.optional_text("Privileges").strip()
        external_id = self._external_id(category, published_id)
        name = self._name(category)
        executor = Executor(
            platform="Windows",
            executor="command_line",
            command=command.text("Command"),
            elevation_required=_needs_elevation(privileges),
        )
        return TestTemplateRecord(
            external_id=external_id,
            name=name,
            published_id=published_id,
            description=command.optional_text("Description"),
            platforms=("Windows",),
            executors=(executor,),
            attack_commands=executor.command,
            expected_detection=self.detection or self._expected_detection(published_id),
            severity=_severity(category),
            derived=("severity",) if self.detection else ("expected_detection", "severity"),
            usecase=command.optional_text("Usecase"),
            category=category,
            privileges=privileges,
            operating_system=command.optional_text("OperatingSystem"),
            tags=tuple(_tags(command)),
            references=self.references,
            rule_links=self.rule_links,
        )

    def _external_id(self, category: str, published_id: str) -> str:
        """Upstream has no ids. This one outlives edits of every text, and no two commands of a snapshot share it."""
        key = (_slug(category), _slug(published_id))
        self.seen[key] += 1
        return "/".join((self.key, *key, str(self.seen[key])))

    def _name(self, category: str) -> str:
        """ "Certutil.exe: Download", and "Certutil.exe: Download (2)" for the next one of a category."""
        self.seen[(category,)] += 1
        count = self.seen[(category,)]
        return f"{self.name}: {category}" + (f" ({count})" if count > 1 else "")

    def _expected_detection(self, published_id: str) -> str:
        return f"{published_id} should show in:\n- Windows: {process_logs('Windows', self.name)}"


def _key(path: str) -> str:
    """Folder and stem in lower case: stems alone repeat (SyncAppvPublishingServer is a binary and a script)."""
    pure = PurePosixPath(path)
    return f"{pure.parent.name}/{pure.stem}".lower()


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")


def _detections(entry: Fields) -> Iterator[tuple[str, str]]:
    for detection in entry.each("Detection"):
        for kind in detection.values:
            if text := detection.optional_text(kind).strip():
                yield kind, text


def _web_links(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in texts if _is_web_link(text.strip())))


def _is_web_link(text: str) -> bool:
    try:
        link = urlsplit(text)
    except ValueError:
        return False
    return link.scheme in ("http", "https") and bool(link.netloc)


def _needs_elevation(privileges: str) -> bool:
    """ "Administrator", "Local Admin", "DNS admin" and "SYSTEM" do; "User, Administrator in Windows 8" need not."""
    words = privileges.lower()
    return not words.startswith("user") and ("admin" in words or "system" in words)


def _severity(category: str) -> str:
    """By what the command achieves: getting past a control or at credentials is high, moving and viewing data low."""
    if category.lower() in SEVERE_CATEGORIES:
        return "high"
    return "low" if category.lower() in MILD_CATEGORIES else "medium"


def _tags(command: Fields) -> Iterator[str]:
    for tag in command.each("Tags"):
        for kind in tag.values:
            yield f"{kind}: {tag.written(kind) or ''}".removesuffix(": ")


SOURCE = Source(
    slug="lolbas",
    label="LOLBAS",
    license="GPL-3.0",
    homepage="https://lolbas-project.github.io/",
    fetch=(GitHubArchive("LOLBAS-Project/LOLBAS", "master"),),
    files=("yml/OSBinaries/*.yml", "yml/OSLibraries/*.yml", "yml/OSScripts/*.yml", "yml/OtherMSBinaries/*.yml"),
    parse=parse,
    every=timedelta(days=90),
    notes=("LOLBAS publishes no severity: Aegis derives it from the category and marks it so.",),
)
