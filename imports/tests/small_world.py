"""A mirror of our own making that a test can change between two imports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aegis.accounts.models import User
from imports.decisions import request_apply, request_undo
from imports.life import this_process
from imports.models import ImportRun
from imports.services import SOURCE_OF, execute, request_import
from imports.tests.stix_world import bundle

RULE = """\
title: {title}
id: {id}
status: test
description: Made up for a test.
author: Aegis
date: 2026-01-02
tags:
{tags}
logsource:
    category: process_creation
    product: windows
detection:
    selection:
        Image|endswith: '\\tool.exe'
    condition: selection
level: {level}
"""


class SmallWorld:
    """A folder laid out as `<host>/<path>`, with only what the test put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, slug: str, part: int = 0) -> Path:
        """Where the mirror keeps one part of a source: a folder for an archive, a file otherwise."""
        address = urlsplit(SOURCE_OF[slug].fetch[part].url)
        return self.folder / f"{address.netloc}{address.path}"

    def write(self, slug: str, path: str, content: str | bytes) -> None:
        """Put a file into the source's archive."""
        file = self.place(slug) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)

    def remove(self, slug: str, path: str) -> None:
        """Take a file out of the source's archive."""
        (self.place(slug) / path).unlink()

    def attack(self, *objects: dict[str, Any]) -> None:
        """Publish an ATT&CK bundle with these objects."""
        file = self.place("attack")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bundle(*objects).data)

    def rule(self, name: str, *techniques: str, level: str = "high", title: str = "") -> str:
        """Publish a Sigma rule as rules/<name>.yml. Returns its id."""
        tags = "".join(f"    - attack.{technique.lower()}\n" for technique in techniques) or "    - car.2020-01-001\n"
        identifier = rule_id(name)
        text = RULE.format(title=title or f"Rule {name}", id=identifier, tags=tags.rstrip("\n"), level=level)
        self.write("sigma", f"rules/{name}.yml", text)
        return identifier

    def run(self, slug: str, **options: Any) -> ImportRun:
        """Import a source from this mirror."""
        asked = {name: options.pop(name) for name in ("by", "trigger", "dry_run", "allowed") if name in options}
        return execute(request_import(slug, **asked), mirror=str(self.folder), **options)

    def rules(self, number: int, *techniques: str, start: int = 0, **options: str) -> None:
        """Publish so many Sigma rules, r000 and on."""
        for place in range(start, start + number):
            self.rule(f"r{place:03}", *techniques, **options)

    def apply(self, shown: ImportRun, by: User | None = None) -> ImportRun:
        """Apply what a preview or a held run showed."""
        return execute(request_apply(shown, by=by, trigger="command", worker=this_process()), mirror=str(self.folder))

    def undo(self, run: ImportRun, by: User | None = None) -> ImportRun:
        """Take back what a run did."""
        return execute(request_undo(run, by=by, trigger="command", worker=this_process()), mirror=str(self.folder))


def rule_id(name: str) -> str:
    """A GUID that follows from the name."""
    digits = name.encode().hex()[:12].rjust(12, "0")
    return f"00000000-0000-4000-8000-{digits}"


def counts(run: ImportRun) -> dict[str, int]:
    """The counts of a run that are not zero."""
    return {name: number for name, number in run.statistics().items() if number}


def as_text(value: object) -> str:
    """Any value as one line of JSON, for comparing."""
    return json.dumps(value, sort_keys=True, default=str)
