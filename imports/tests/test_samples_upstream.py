"""samples/ against the real upstreams: its words are ours, its ids, names and titles are theirs."""

import dataclasses
import gzip
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from imports.fetchers.names import matcher
from imports.records import (
    ComplianceControlRecord,
    DataComponentRecord,
    DefensiveTechniqueRecord,
    MitigationRecord,
    Record,
    TacticRecord,
    TechniqueRecord,
)
from imports.tests.sample_world import ALL_SLUGS, SAMPLES, SOURCE_OF, records
from imports.upstream import GitHubArchive, Source

# Fields that hold what somebody wrote. Names, titles, labels and ids are facts; `content` repeats the others.
WORDING = {
    "attack_commands",
    "check",
    "cleanup",
    "cleanup_commands",
    "command",
    "comments",
    "description",
    "false_positives",
    "get",
    "query",
    "sentence",
    "text",
    "usecase",
}
TEXT_SUFFIXES = (".json", ".toml", ".yaml", ".yml")


@pytest.mark.parametrize("slug", ALL_SLUGS)
def test_no_wording_of_the_samples_comes_from_upstream(slug, mirror: Path):
    ours = {wording: shown for wording, shown in _wording(slug) if len(wording) >= 40}
    assert ours
    upstream = _upstream_wording(SOURCE_OF[slug], mirror)
    assert len(upstream) > 100_000
    assert [shown for wording, shown in ours.items() if wording in upstream] == []


def _wording(slug: str) -> Iterator[tuple[str, str]]:
    for record in records(slug, Record):
        for text in _texts(dataclasses.asdict(record), inside=False):
            yield _folded(text), text


def _texts(value: object, *, inside: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, inside=name in WORDING)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part, inside=inside)
    elif isinstance(value, str) and inside:
        yield value


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _upstream_wording(source: Source, mirror: Path) -> str:
    """All texts of a source's upstream: strings of JSON files, the whole of others; white space and case do not count."""
    pieces: list[str] = []
    for part in source.fetch:
        place = mirror / urlsplit(part.url).netloc / urlsplit(part.url).path.lstrip("/")
        if isinstance(part, GitHubArchive):
            pieces += _archived(place, matcher(source.files))
        else:
            zipped = place.with_name(f"{place.name}.gz")
            pieces += _strings(
                json.loads(gzip.decompress(zipped.read_bytes()) if zipped.is_file() else place.read_bytes())
            )
    return _folded("\n".join(pieces))


def _archived(archive: Path, is_read: Callable[[str], bool]) -> Iterator[str]:
    """The texts of all rule-like files, also of those that no import reads."""
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member) if member.name.endswith(TEXT_SUFFIXES) else None
            if content is not None and member.name.endswith(".json") and is_read(member.name.partition("/")[2]):
                yield from _strings(json.loads(content.read()))
            elif content is not None:
                yield content.read().decode(errors="replace")


def _strings(value: object) -> Iterator[str]:
    """The texts of a JSON document that are long enough to hold a sentence of 40 characters."""
    if isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
    elif isinstance(value, str) and len(value) >= 40:
        yield value


def test_ids_and_names_of_the_samples_are_those_of_the_real_release(mirror: Path):
    """So that an import of the real bundle after the samples keeps the rows."""
    kinds = (TacticRecord, TechniqueRecord, MitigationRecord, DataComponentRecord)
    real, ours = (
        {(type(one), one.mitre_id, one.stix_id, one.name) for one in records("attack", *kinds, mirror=place)}
        for place in (mirror, SAMPLES)
    )
    assert ours - real == set()


def test_tactics_and_platforms_of_the_samples_are_those_of_the_real_release(mirror: Path):
    real, ours = (
        {
            (one.mitre_id, one.tactics, one.platforms, one.parent)
            for one in records("attack", TechniqueRecord, mirror=place)
        }
        for place in (mirror, SAMPLES)
    )
    assert ours - real == set()


def test_labels_of_the_samples_are_those_of_the_real_ontology(mirror: Path):
    real, ours = (
        {
            (one.d3fend_id, one.iri, one.name, one.tactic, one.parent, one.synonyms)
            for one in records("d3fend", DefensiveTechniqueRecord, mirror=place)
        }
        for place in (mirror, SAMPLES)
    )
    assert ours - real == set()


def test_titles_of_the_samples_are_those_of_the_real_catalogues(mirror: Path):
    real, ours = (
        {
            (one.framework, one.control_id, one.title, one.category, one.parent, one.withdrawn)
            for one in records("nist-800-53", ComplianceControlRecord, mirror=place)
        }
        for place in (mirror, SAMPLES)
    )
    assert ours - real == set()
