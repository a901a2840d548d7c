"""How tests run a source's parser: over golden files of our own, and over the real upstream in a mirror."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from imports.fetchers.names import matcher
from imports.records import Record, TestTemplateRecord
from imports.upstream import GitHubArchive, Issue, Source, SourceFile, Version

Found = Record | Issue | Version

GOLDEN = Path(__file__).parent / "golden"


def golden_files(folder: str, suffix: str) -> list[Path]:
    """The upstream files of our own writing in `golden/<folder>`. What a parser must make of one is in the .json beside it."""
    return sorted((GOLDEN / folder).glob(f"*{suffix}"))


def expected(file: Path) -> object:
    return json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))


def as_json(found: list[Found]) -> object:
    """Records and issues as JSON has them, without the fields that hold nothing."""
    return json.loads(json.dumps([_filled({"kind": type(one).__name__, **asdict(one)}) for one in found]))


def _filled(fields: dict[str, object]) -> dict[str, object]:
    return {
        name: [_filled(item) if isinstance(item, dict) else item for item in value]
        if isinstance(value, tuple)
        else value
        for name, value in fields.items()
        if value not in ("", (), None, False) or name == "default"
    }


def parsed(source: Source, path: str, text: str) -> list[Found]:
    return list(source.parse(SourceFile(path, text.encode())))


def parsed_templates(source: Source, *files: SourceFile) -> list[TestTemplateRecord]:
    """The templates of the files, which must hold nothing else: no issue either."""
    found = [one for file in files for one in source.parse(file)]
    templates = [one for one in found if isinstance(one, TestTemplateRecord)]
    assert templates == found, [one for one in found if isinstance(one, Issue)]
    return templates


def upstream_files(source: Source, mirror: Path) -> Iterator[SourceFile]:
    """The files of a source's first archive in the mirror that its patterns name."""
    archive = source.fetch[0]
    assert isinstance(archive, GitHubArchive)
    address, wanted = urlsplit(archive.url), matcher(source.files)
    with tarfile.open(mirror / address.netloc / address.path.lstrip("/")) as members:
        for member in members:
            path = member.name.partition("/")[2]
            if member.isreg() and wanted(path):
                content = members.extractfile(member)
                assert content is not None
                yield SourceFile(path, content.read())
