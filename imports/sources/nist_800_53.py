"""NIST SP 800-53 as the Center for Threat-Informed Defense maps it to ATT&CK: Rev 4 and Rev 5, controls and mappings.

The older repository has the catalogues and mappings at ATT&CK 12.1 as STIX 2.0 bundles: a control is a course-of-action, a
mapping a relationship `mitigates` to an attack-pattern. The Mappings Explorer has newer mappings and no catalogue. Each
mapping keeps the ATT&CK version of its set; the newest set of a revision is the current one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from imports.readers.json_document import load_members
from imports.readers.mappings_explorer import ExplorerMapping, explorer_mappings
from imports.readers.stix import CourseOfAction, Relationship, moment, read_bundle
from imports.readers.tally import Tally
from imports.records import ComplianceControlRecord, Record
from imports.sources.nist_800_53_join import FRAMEWORK, ControlPart, EnhancementPart, MappingPart, control_id, joined
from imports.upstream import GitHubArchive, HttpsFile, Issue, ParseError, Source, SourceFile

CATALOGUES = (
    "https://raw.githubusercontent.com/center-for-threat-informed-defense/attack-control-framework-mappings/main/"
    "frameworks/attack_12_1"
)
EXPLORER_FRAMEWORK = "nist_800_53"

# https://csrc.nist.gov/projects/cprt/catalog: the bundle of Rev 5 has only the prefixes.
FAMILIES = {
    "AC": "Access Control",
    "AT": "Awareness and Training",
    "AU": "Audit and Accountability",
    "CA": "Assessment, Authorization, and Monitoring",
    "CM": "Configuration Management",
    "CP": "Contingency Planning",
    "IA": "Identification and Authentication",
    "IR": "Incident Response",
    "MA": "Maintenance",
    "MP": "Media Protection",
    "PE": "Physical and Environmental Protection",
    "PL": "Planning",
    "PM": "Program Management",
    "PS": "Personnel Security",
    "PT": "Personally Identifiable Information Processing and Transparency",
    "RA": "Risk Assessment",
    "SA": "System and Services Acquisition",
    "SC": "System and Communications Protection",
    "SI": "System and Information Integrity",
    "SR": "Supply Chain Risk Management",
}

_REVISION = re.compile(r"NIST 800-53 Revision ([0-9]+)")
_BUNDLE_VERSION = re.compile(r"(?:^|/)attack_([0-9]+(?:_[0-9]+)*)/")
_EXPLORER_PATH = re.compile(r"/attack-([0-9]{1,9}(?:\.[0-9]{1,9})*)/nist_800_53-(rev[0-9]{1,9})/")


class _Control(CourseOfAction, frozen=True, gc=False, kw_only=True, tag="course-of-action"):
    x_mitre_family: str | None = None


def newest_sets(paths: list[str]) -> list[str]:
    """Of the Mappings Explorer's files those of the newest ATT&CK version of each revision ("16.1" is newer than "9.0")."""
    found = [(path, match[2], _number(match[1])) for path in paths if (match := _EXPLORER_PATH.search(path))]
    newest: dict[str, tuple[int, ...]] = {}
    for _, revision, version in found:
        newest[revision] = max(version, newest.get(revision, ()))
    return [path for path, revision, version in found if newest[revision] == version]


def edition_of(path: str) -> str:
    """The revision whose mapping set this is; of any other file the path."""
    match = _EXPLORER_PATH.search(path)
    return match[2] if match else path


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def parse(file: SourceFile) -> Iterator[Record | Issue]:
    """The parts that one file contributes: controls and enhancements of a catalogue, or mappings."""
    members = load_members(file.data)
    if "mapping_objects" in members:
        yield from _explorer_parts(explorer_mappings(members))
    elif "objects" in members:
        yield from _bundle_parts(file)
    else:
        raise ParseError("expected a STIX bundle (`objects`) or a mapping set (`mapping_objects`), found neither")


def _explorer_parts(mappings: Iterator[ExplorerMapping | Issue]) -> Iterator[Record | Issue]:
    for mapping in mappings:
        if isinstance(mapping, Issue):
            yield mapping
        elif mapping.framework != EXPLORER_FRAMEWORK:
            raise ParseError(f"expected mappings of {EXPLORER_FRAMEWORK}, found {mapping.framework[:40]}")
        else:
            yield MappingPart(
                framework=f"{FRAMEWORK}-{mapping.framework_version.lower()}",
                control=mapping.capability_id,
                title=mapping.capability_name,
                category=mapping.group.replace(" And ", " and "),
                published_id=mapping.published_id,
                mapping_type=mapping.mapping_type,
                attack_version=mapping.attack_version,
                comments=mapping.comments,
            )


def _bundle_parts(file: SourceFile) -> Iterator[Record | Issue]:
    bundle = read_bundle(file.data, (_Control, Relationship))
    yield from bundle.issues
    if not bundle.objects:
        raise ParseError("the bundle holds neither controls (course-of-action) nor mappings (relationship)")
    tally = Tally()
    for control in bundle.of(_Control):
        try:
            yield _control_part(control)
        except ParseError as error:
            tally.add(f"skipped a control: {error.message}", control.id)
    for relationship in bundle.of(Relationship):
        if not relationship.is_active:
            continue
        if relationship.relationship_type == "subcontrol-of":
            yield EnhancementPart(child=relationship.source_ref, parent=relationship.target_ref)
        elif relationship.relationship_type == "mitigates":
            yield from _mitigation(relationship, file.path, tally)
    yield from tally.issues()


def _control_part(control: _Control) -> ControlPart:
    revision, published_id = _reference(control)
    description = control.description or ""
    number = control_id(published_id)
    modified = moment(control.modified)
    return ControlPart(
        stix_id=control.id,
        modified=modified.isoformat() if modified else "",
        control=ComplianceControlRecord(
            framework=f"{FRAMEWORK}-rev{revision}",
            control_id=number,
            title=control.name.strip(),
            description=description,
            category=_family(control, number),
            # Rev 4 says so in the text; a withdrawn control of Rev 5 has no text.
            withdrawn=not control.is_active or not description.strip() or description.startswith("[Withdrawn"),
        ),
    )


def _reference(control: _Control) -> tuple[str, str]:
    """The revision ("5") and the control id as published."""
    for reference in control.external_references or ():
        if (match := _REVISION.fullmatch(reference.source_name)) and reference.external_id:
            return match[1], reference.external_id
    raise ParseError("found no `NIST 800-53 Revision ...` with an `external_id` at `external_references`")


def _family(control: _Control, number: str) -> str:
    """The family as the catalogue names it, in the spelling of both revisions ("System and ...", not "System And ...")."""
    if control.x_mitre_family:
        return control.x_mitre_family.replace(" And ", " and ")
    return FAMILIES.get(number.partition("-")[0], "")


def _mitigation(relationship: Relationship, path: str, tally: Tally) -> Iterator[MappingPart]:
    version = _BUNDLE_VERSION.search(path)
    if not version:
        raise ParseError("the mappings' ATT&CK version is only in the path: expected a folder like attack_12_1")
    if not relationship.target_ref.startswith("attack-pattern--"):
        tally.add("skipped a mapping to something else than an attack-pattern", relationship.target_ref)
        return
    yield MappingPart(
        control=relationship.source_ref,
        published_id=relationship.target_ref,
        mapping_type=relationship.relationship_type,
        attack_version=version[1].replace("_", "."),
        comments=relationship.description or "",
    )


SOURCE = Source(
    slug="nist-800-53",
    label="NIST SP 800-53 mappings (CTID)",
    license="Apache-2.0",
    homepage="https://center-for-threat-informed-defense.github.io/mappings-explorer/external/nist/",
    fetch=(
        HttpsFile(f"{CATALOGUES}/nist800_53_r4/stix/nist800-53-r4-controls.json"),
        HttpsFile(f"{CATALOGUES}/nist800_53_r4/stix/nist800-53-r4-mappings.json"),
        HttpsFile(f"{CATALOGUES}/nist800_53_r5/stix/nist800-53-r5-controls.json"),
        HttpsFile(f"{CATALOGUES}/nist800_53_r5/stix/nist800-53-r5-mappings.json"),
        GitHubArchive("center-for-threat-informed-defense/mappings-explorer", "main"),
    ),
    files=("mappings/nist_800_53/attack-*/nist_800_53-rev*/enterprise/*.json",),
    select=newest_sets,
    edition_of=edition_of,
    parse=parse,
    assemble=joined,
    complete=True,
    every=timedelta(days=365),
)
