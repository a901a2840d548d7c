"""Joins the parts of NIST SP 800-53: controls to their base control and to the mappings of every set.

The STIX mappings name a control by its STIX id, the Mappings Explorer's by revision and control id, in other spellings.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from imports.readers.tally import Tally
from imports.records import ComplianceControlRecord, ComplianceFrameworkRecord, ControlMapping, Record
from imports.upstream import Issue, ParseError

FRAMEWORK = "nist-800-53"
_CONTROL_ID = re.compile(r"([A-Z]{2})-0*([1-9][0-9]{0,3})\s*(?:\(\s*0*([1-9][0-9]{0,3})\s*\))?")

Key: TypeAlias = tuple[str, str]
"""A control: the framework's slug and the normalised control id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPart(Record):
    """A control of a catalogue, without parent and mappings. `modified` is ISO 8601 in UTC, or empty."""

    stix_id: str
    modified: str
    control: ComplianceControlRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class EnhancementPart(Record):
    """The control `child` is an enhancement of `parent`; both are STIX ids."""

    child: str
    parent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPart(Record):
    """A mapping. `control` is a STIX id when `framework` is empty, else a control id as the framework's set spells it."""

    control: str
    published_id: str
    mapping_type: str
    attack_version: str
    framework: str = ""
    title: str = ""
    category: str = ""
    comments: str = ""

    @property
    def is_stix(self) -> bool:
        return not self.framework


@dataclass(frozen=True, slots=True)
class _MappingSet:
    """Where a mapping comes from; of two sets for one ATT&CK version the Mappings Explorer's is the maintained one."""

    framework: str
    attack_version: str
    is_stix: bool

    @property
    def age(self) -> tuple[tuple[int, ...], bool]:
        return _natural(self.attack_version), not self.is_stix


@dataclass(slots=True)
class _Catalogue:
    """The controls by key with the file that each is in, and the keys of STIX ids."""

    controls: dict[Key, ComplianceControlRecord] = field(default_factory=dict)
    paths: dict[Key, str] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)

    @property
    def frameworks(self) -> dict[str, str]:
        """The frameworks that have controls, with the first of their files."""
        return {key[0]: self.paths[key] for key in sorted(self.controls, reverse=True)}


_Tallies: TypeAlias = defaultdict[str, Tally]
_Pairs: TypeAlias = dict[tuple[str, str], set[str]]
_Mapped: TypeAlias = dict[Key, dict[_MappingSet, _Pairs]]


def control_id(published: str) -> str:
    """One spelling for "AC-2 (1)", "AC-02(01)" and "ac-2(1)": "AC-2(1)". Raises ParseError for anything else."""
    match = _CONTROL_ID.fullmatch(published.strip().upper())
    if not match:
        raise ParseError(f"expected a control id like AC-2 or AC-2(1), found {published.strip()[:40]!r}")
    family, number, enhancement = match.groups()
    return f"{family}-{number}({enhancement})" if enhancement else f"{family}-{number}"


def joined(records: Iterable[tuple[str, Record]]) -> Iterator[tuple[str, Record | Issue]]:
    """The revisions and their controls, in order, at the path of their catalogue; issues at that of the file they tell of.

    Raises ParseError when catalogues or mappings are missing altogether.
    """
    parts = list(records)
    tallies: _Tallies = defaultdict(Tally)
    catalogue = _catalogue([(path, part) for path, part in parts if isinstance(part, ControlPart)], tallies)
    parents = _parents([(path, part) for path, part in parts if isinstance(part, EnhancementPart)], catalogue, tallies)
    mappings_found = [(path, part) for path, part in parts if isinstance(part, MappingPart)]
    _complete(catalogue, mappings_found, tallies)
    mapped = _mapped(mappings_found, catalogue, tallies)
    if not catalogue.controls or not mapped:
        missing = "mappings" if catalogue.controls else "control catalogues"
        raise ParseError(
            f"the {missing} of NIST SP 800-53 are missing; catalogues and mappings only make sense together"
        )
    current = _current(mapped)
    for framework, path in sorted(catalogue.frameworks.items()):
        yield path, _framework(framework, current.get(framework))
    for key in sorted(catalogue.controls, key=_control_order):
        parent = parents.get(key, ("", ""))
        mappings = _mappings(mapped.get(key, {}), current)
        yield catalogue.paths[key], replace(catalogue.controls[key], parent=parent[1], mappings=mappings)
    for path in sorted(tallies):
        yield from ((path, issue) for issue in tallies[path].issues())


def _framework(slug: str, current: _MappingSet | None) -> ComplianceFrameworkRecord:
    return ComplianceFrameworkRecord(
        slug=slug,
        name="NIST SP 800-53",
        version=_version(slug),
        attack_version=current.attack_version if current else "",
    )


def _version(slug: str) -> str:
    return slug.removeprefix(f"{FRAMEWORK}-").replace("rev", "Rev ")


def _catalogue(parts: list[tuple[str, ControlPart]], tallies: _Tallies) -> _Catalogue:
    """All controls. Of two controls with one id the one modified last is kept."""
    catalogue = _Catalogue()
    for path, part in sorted(parts, key=lambda found: (found[1].modified, found[1].stix_id), reverse=True):
        key = part.control.framework, part.control.control_id
        catalogue.keys.setdefault(part.stix_id, key)
        catalogue.paths.setdefault(key, path)
        if catalogue.controls.setdefault(key, part.control) != part.control:
            tallies[path].add("a control comes twice with different content; the one modified last was kept", key[1])
    return catalogue


def _parents(parts: list[tuple[str, EnhancementPart]], catalogue: _Catalogue, tallies: _Tallies) -> dict[Key, Key]:
    """The base control of each enhancement. Catalogues have these two levels only, which also rules out cycles."""
    found: dict[Key, set[Key]] = defaultdict(set)
    for path, part in parts:
        child, parent = catalogue.keys.get(part.child), catalogue.keys.get(part.parent)
        if child is None or parent is None or child == parent or child[0] != parent[0]:
            reason = "skipped an enhancement of itself or of a control that its catalogue does not have"
            tallies[path].add(reason, part.child)
        else:
            found[child].add(parent)
    parents: dict[Key, Key] = {}
    for child, candidates in found.items():
        base = sorted((candidate for candidate in candidates if candidate not in found), key=_control_order)
        if len(candidates) > 1 or not base:
            reason = "expected one base control of an enhancement, found several or none"
            tallies[catalogue.paths[child]].add(reason, child[1])
        if base:
            parents[child] = base[0]
    return parents


def _complete(catalogue: _Catalogue, parts: list[tuple[str, MappingPart]], tallies: _Tallies) -> None:
    """Add the controls that only the Mappings Explorer names: the published catalogues stop at the first edition of Rev 5."""
    frameworks = catalogue.frameworks
    for path, part in parts:
        if part.is_stix or part.framework not in frameworks or not _CONTROL_ID.fullmatch(part.control.strip().upper()):
            continue
        key = part.framework, control_id(part.control)
        if key not in catalogue.controls:
            catalogue.paths[key] = path
            catalogue.controls[key] = ComplianceControlRecord(
                framework=key[0], control_id=key[1], title=part.title, category=part.category, in_catalogue=False
            )
            reason = f"the catalogue of {_version(key[0])} lacks a control that has mappings: kept as named there"
            tallies[path].note(reason, f"{key[1]} {part.title}".strip())


def _mapped(parts: list[tuple[str, MappingPart]], catalogue: _Catalogue, tallies: _Tallies) -> _Mapped:
    """The comments on each distinct pair, by control and set. A pair comes up to three times in one set."""
    mapped: _Mapped = defaultdict(lambda: defaultdict(lambda: defaultdict(set)))
    for path, part in parts:
        try:
            key = catalogue.keys.get(part.control) if part.is_stix else (part.framework, control_id(part.control))
        except ParseError as error:
            tallies[path].add(f"skipped a mapping: {error.message}", part.published_id)
            continue
        if key in catalogue.controls:
            mapping_set = _MappingSet(key[0], part.attack_version, part.is_stix)
            mapped[key][mapping_set][part.published_id, part.mapping_type] |= {part.comments} - {""}
        else:
            tallies[path].add(_not_in_catalogue(part), part.published_id)
    return mapped


def _not_in_catalogue(part: MappingPart) -> str:
    if part.is_stix:
        return f"left out the mappings at ATT&CK {part.attack_version} of a control in no catalogue: {part.control}"
    return f"left out the mappings at ATT&CK {part.attack_version} of {part.framework}: there is no catalogue of it"


def _current(mapped: _Mapped) -> dict[str, _MappingSet]:
    """The newest set of each framework."""
    sets = {mapping_set for by_set in mapped.values() for mapping_set in by_set}
    return {mapping_set.framework: mapping_set for mapping_set in sorted(sets, key=lambda found: found.age)}


def _mappings(by_set: dict[_MappingSet, _Pairs], current: dict[str, _MappingSet]) -> tuple[ControlMapping, ...]:
    return tuple(
        ControlMapping(
            published_id=published_id,
            mapping_type=mapping_type,
            attack_version=mapping_set.attack_version,
            is_current=mapping_set == current[mapping_set.framework],
            comments="\n".join(sorted(comments)),
        )
        for mapping_set in sorted(by_set, key=lambda found: found.age)
        for (published_id, mapping_type), comments in sorted(by_set[mapping_set].items())
    )


def _control_order(key: Key) -> tuple[str, str, tuple[int, ...]]:
    return key[0], key[1].partition("-")[0], _natural(key[1])


def _natural(text: str) -> tuple[int, ...]:
    """The numbers in a version or control id, to sort by: "16.1" after "9.0", AC-10 after AC-2."""
    return tuple(int(number) for number in re.findall(r"[0-9]+", text))
