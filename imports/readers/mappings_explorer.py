"""Mapping sets of the Mappings Explorer: which capability of a framework says what about which ATT&CK technique.

One JSON file holds one version of one framework against one version of ATT&CK
(https://github.com/center-for-threat-informed-defense/mappings-explorer, folder `mappings`): `metadata` names both, and
`mapping_objects` the pairs. The files carry only capabilities that are mapped: they are no catalogue of the framework.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from imports.readers.fields import Fields
from imports.readers.json_document import load_fields, load_items
from imports.readers.tally import Tally
from imports.records import Record
from imports.upstream import Issue, ParseError

NOT_MAPPABLE = "non_mappable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerMapping(Record):
    """One row of a set, as published. `framework` is "nist_800_53", `framework_version` "rev5", `group` a family's name."""

    framework: str
    framework_version: str
    attack_version: str
    capability_id: str
    capability_name: str
    group: str
    published_id: str
    mapping_type: str
    comments: str


def explorer_mappings(members: dict[str, msgspec.Raw]) -> Iterator[ExplorerMapping | Issue]:
    """The mappings in the members of a file (see `load_members`); a pair may come twice.

    Rows that upstream marks non-mappable have no capability or no technique: they are counted in an issue.
    Raises ParseError when the file does not say which versions it is about, or has no list of rows.
    """
    if "metadata" not in members:
        raise ParseError("expected the versions of the framework and of ATT&CK, found nothing at `metadata`")
    metadata = load_fields(members["metadata"], "metadata")
    groups = metadata.fields("capability_groups")
    versions = {
        "framework": metadata.text("mapping_framework"),
        "framework_version": metadata.text("mapping_framework_version"),
        "attack_version": metadata.text("attack_version"),
    }
    tally = Tally()
    for index, raw in enumerate(load_items(members, "mapping_objects")):
        try:
            row = load_fields(raw)
            if _is_mappable(row):
                yield _mapping(row, groups, versions)
            else:
                tally.note("left out what upstream marks as not mappable", _named(row))
        except ParseError as error:
            tally.add(f"skipped a mapping: {error.message}", f"mapping_objects[{index}]")
    yield from tally.issues()


def _is_mappable(row: Fields) -> bool:
    return NOT_MAPPABLE not in (row.optional_text("mapping_type"), row.optional_text("status"))


def _named(row: Fields) -> str:
    return (
        row.optional_text("capability_id")
        or row.optional_text("attack_object_id")
        or "neither capability nor technique"
    )


def _mapping(row: Fields, groups: Fields, versions: dict[str, str]) -> ExplorerMapping:
    group = row.optional_text("capability_group")
    return ExplorerMapping(
        **versions,
        capability_id=row.text("capability_id").strip(),
        capability_name=row.optional_text("capability_description").strip(),
        group=groups.optional_text(group) or group,
        published_id=row.text("attack_object_id").strip(),
        mapping_type=row.text("mapping_type").strip(),
        comments=row.optional_text("comments").strip(),
    )
