"""The other frameworks that the Center for Threat-Informed Defense maps to ATT&CK, from clouds to vulnerabilities.

The Mappings Explorer has one file for each version of a framework against each version of ATT&CK. The newest one of each
framework counts. NIST SP 800-53, whose catalogues are elsewhere, is a source of its own.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from imports.readers.json_document import load_members
from imports.readers.mappings_explorer import ExplorerCapability, ExplorerMapping, explorer_rows
from imports.readers.tally import Tally
from imports.records import ComplianceControlRecord, ComplianceFrameworkRecord, Record, ScoredMapping
from imports.sources import nist_800_53
from imports.upstream import GitHubArchive, Issue, ParseError, Source, SourceFile

NAMES = {
    "aws": "Amazon Web Services",
    "azure": "Microsoft Azure",
    "cri_profile": "CRI Profile",
    "csa_ccm": "CSA Cloud Controls Matrix",
    "gcp": "Google Cloud",
    "intel-vpro": "Intel vPro",
    "kev": "CISA Known Exploited Vulnerabilities",
    "m365": "Microsoft 365",
    "veris": "VERIS",
}
"""Upstream's folder -> what the framework is called; one that is not here goes by its folder."""

_PATH = re.compile(r"^mappings/([^/]+)/attack-([0-9]{1,9}(?:\.[0-9]{1,9})*)/\1-([^/]+)/enterprise/")
_DATE = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})")
_SEPARATORS = re.compile(r"[_\s]+")


def newest_sets(paths: list[str]) -> list[str]:
    """The files of the newest version of each framework, of these those for the newest ATT&CK version; none of NIST."""
    found = [(path, match[1], _age(match[3], match[2])) for path in paths if (match := _PATH.search(path))]
    newest: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}
    for _, framework, age in found:
        newest[framework] = max(age, newest.get(framework, age))
    others = newest.keys() - {nist_800_53.EXPLORER_FRAMEWORK}
    return [path for path, framework, age in found if framework in others and newest[framework] == age]


def edition_of(path: str) -> str:
    """The framework whose set this is."""
    match = _PATH.search(path)
    return match[1] if match else path


def _age(version: str, attack_version: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return _numbers(_iso_date(version)), _numbers(attack_version)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"[0-9]{1,9}", version)))


def _iso_date(version: str) -> str:
    """A version that is a date in American order ("07/28/2025") as one that sorts ("2025-07-28"); any other as it is."""
    match = _DATE.fullmatch(version)
    return f"{match[3]}-{match[1]:0>2}-{match[2]:0>2}" if match else version


def parse(file: SourceFile) -> Iterator[Record | Issue]:
    """The framework of one file and its capabilities, each with its mappings, as a framework with controls."""
    tally = Tally()
    rows = list(explorer_rows(load_members(file.data), tally))
    if not any(isinstance(row, ExplorerMapping) for row in rows):
        raise ParseError("the set holds no mapping: without any there is nothing to show of the framework")
    for row in rows:
        if row.flaw:
            tally.note(*row.flaw)
    yield _framework(rows[0], file.path)
    for capability in _capabilities(rows):
        yield _control(capability, tally)
    yield from tally.issues()


def _framework(row: ExplorerCapability, path: str) -> ComplianceFrameworkRecord:
    folder = _PATH.search(path)
    if folder and folder[1] != row.framework:
        raise ParseError(f"expected mappings of {folder[1]}, found {row.framework[:40]}")
    return ComplianceFrameworkRecord(
        slug=_slug(row.framework),
        name=NAMES.get(row.framework, row.framework.replace("_", " ")),
        version=_iso_date(row.framework_version.strip()),
        attack_version=row.attack_version.strip(),
    )


def _slug(framework: str) -> str:
    return _SEPARATORS.sub("-", framework.strip().lower())


def _capabilities(rows: Iterable[ExplorerCapability]) -> list[list[ExplorerCapability]]:
    """The rows of each capability, by its id in whatever case: upstream spells some in two ways."""
    found: dict[str, list[ExplorerCapability]] = defaultdict(list)
    for row in rows:
        found[row.capability_id.casefold()].append(row)
    return [found[folded] for folded in sorted(found)]


def _control(rows: list[ExplorerCapability], tally: Tally) -> ComplianceControlRecord:
    mappings = [row for row in rows if isinstance(row, ExplorerMapping)]
    control_id = _most([row.capability_id for row in mappings or rows])
    if len({row.capability_id for row in rows}) > 1:
        tally.note("taken for one: ids that differ only in capital letters", control_id)
    if len({row.group for row in rows}) > 1:
        tally.note("put into the group that most rows name: what upstream has in several", control_id)
    return ComplianceControlRecord(
        framework=_slug(rows[0].framework),
        control_id=control_id,
        title=_most([row.capability_name for row in rows if row.capability_name]) or control_id,
        category=_most([row.group for row in rows]),
        mappings=_mappings(mappings),
    )


def _most(texts: list[str]) -> str:
    """The text that comes most often, of several the first in the alphabet; empty for none."""
    return min(Counter(texts).items(), key=lambda found: (-found[1], found[0]), default=("", 0))[0]


def _mappings(rows: Iterable[ExplorerMapping]) -> tuple[ScoredMapping, ...]:
    """Each distinct mapping once: repeats, which differ in their words only, are joined."""
    same: dict[tuple[str, ...], list[ExplorerMapping]] = defaultdict(list)
    for row in rows:
        same[row.published_id, row.mapping_type, row.score_category, row.score_value].append(row)
    return tuple(_mapping(same[key]) for key in sorted(same))


def _mapping(rows: list[ExplorerMapping]) -> ScoredMapping:
    row = rows[0]
    return ScoredMapping(
        published_id=row.published_id,
        mapping_type=row.mapping_type,
        attack_version=row.attack_version.strip(),
        is_current=True,
        comments="\n".join(sorted({one.comments for one in rows} - {""})),
        mapping_name="" if _plain(row.mapping_name) == _plain(row.mapping_type) else row.mapping_name,
        score_category=row.score_category,
        score_value=row.score_value,
        references=_addresses(text for one in rows for text in one.references),
    )


def _plain(name: str) -> str:
    return re.sub(r"[_-]", " ", name.casefold())


def _addresses(texts: Iterable[str]) -> tuple[str, ...]:
    """The web addresses among published references: some hold two, some the rest of a sentence."""
    words = {word.strip("'\"<>,;") for text in texts for word in text.split()}
    return tuple(sorted(word for word in words if word.startswith(("https://", "http://"))))


SOURCE = Source(
    slug="mappings-explorer",
    label="Mappings Explorer (CTID)",
    license="Apache-2.0",
    homepage="https://center-for-threat-informed-defense.github.io/mappings-explorer/",
    fetch=(GitHubArchive("center-for-threat-informed-defense/mappings-explorer", "main"),),
    files=("mappings/*/attack-*/*/enterprise/*.json",),
    select=newest_sets,
    edition_of=edition_of,
    parse=parse,
    every=timedelta(days=365),
    notes=(
        "It brings CSA CCM, CRI Profile, AWS, Azure, Google Cloud, Microsoft 365, CISA KEV, VERIS and Intel vPro.",
        "Every framework is switched off until an admin switches it on under Compliance.",
        "The newest version of each counts. Upstream lists what it mapped: of most frameworks that is no whole catalogue.",
    ),
)
