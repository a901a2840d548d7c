"""Mapping sets of the Mappings Explorer: which capability of a framework says what about which ATT&CK technique.

One JSON file holds one version of one framework against one version of ATT&CK
(https://github.com/center-for-threat-informed-defense/mappings-explorer, folder `mappings`): `metadata` names both, and
`mapping_objects` the pairs. The files carry only capabilities that are mapped: they are no catalogue of the framework.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from imports.readers.fields import Fields
from imports.readers.json_document import load_fields, load_items
from imports.readers.tally import Tally
from imports.records import Record
from imports.upstream import Issue, ParseError

NOT_MAPPABLE = "non_mappable"


class Flaw(NamedTuple):
    """Why a row tells no mapping although it should, and where it stands."""

    reason: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerCapability(Record):
    """A capability of a framework, without a mapping: upstream marks it so, or its row has a `flaw`.

    `framework` is "nist_800_53", `framework_version` "rev5", `group` a family's name.
    """

    framework: str
    framework_version: str
    attack_version: str
    capability_id: str
    capability_name: str
    group: str
    flaw: Flaw | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorerMapping(ExplorerCapability):
    """One row of a set, as published. `mapping_name` is what the file calls the type; scores are empty where it has none."""

    published_id: str
    mapping_type: str
    mapping_name: str
    score_category: str
    score_value: str
    comments: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Metadata:
    versions: dict[str, str]
    groups: Fields
    types: Fields


def explorer_mappings(members: dict[str, msgspec.Raw]) -> Iterator[ExplorerMapping | Issue]:
    """The mappings in the members of a file (see `load_members`); a pair may come twice.

    Rows that upstream marks non-mappable have no capability or no technique: they are counted in an issue.
    Raises ParseError when the file does not say which versions it is about, or has no list of rows.
    """
    tally = Tally()
    for row in explorer_rows(members, tally):
        if isinstance(row, ExplorerMapping):
            yield row
        elif row.flaw:
            tally.add(*row.flaw)
        else:
            _leave_out(row.capability_id, tally)
    yield from tally.issues()


def explorer_rows(members: dict[str, msgspec.Raw], tally: Tally) -> Iterator[ExplorerMapping | ExplorerCapability]:
    """The mappings, and the capabilities of rows without one; what else there is goes to `tally`.

    Raises ParseError as `explorer_mappings`.
    """
    metadata = _metadata(members)
    for index, raw in enumerate(load_items(members, "mapping_objects")):
        try:
            row = load_fields(raw)
            if _is_mappable(row):
                yield _mapping(row, metadata)
            elif row.optional_text("capability_id").strip():
                yield ExplorerCapability(**_capability(row, metadata))
            else:
                _leave_out(row.optional_text("attack_object_id"), tally)
        except ParseError as error:
            flaw = Flaw(f"skipped a mapping: {error.message}", f"mapping_objects[{index}]")
            try:
                yield ExplorerCapability(**_capability(load_fields(raw), metadata), flaw=flaw)
            except ParseError:
                tally.add(*flaw)


def _metadata(members: dict[str, msgspec.Raw]) -> _Metadata:
    if "metadata" not in members:
        raise ParseError("expected the versions of the framework and of ATT&CK, found nothing at `metadata`")
    metadata = load_fields(members["metadata"], "metadata")
    versions = {
        "framework": metadata.text("mapping_framework"),
        "framework_version": metadata.text("mapping_framework_version"),
        "attack_version": metadata.text("attack_version"),
    }
    return _Metadata(versions, metadata.fields("capability_groups"), metadata.fields("mapping_types"))


def _is_mappable(row: Fields) -> bool:
    return NOT_MAPPABLE not in (row.optional_text("mapping_type"), row.optional_text("status"))


def _leave_out(named: str, tally: Tally) -> None:
    tally.note("left out what upstream marks as not mappable", named or "neither capability nor technique")


def _capability(row: Fields, metadata: _Metadata) -> dict[str, Any]:
    group = row.optional_text("capability_group")
    return {
        **metadata.versions,
        "capability_id": row.text("capability_id").strip(),
        "capability_name": row.optional_text("capability_description").strip(),
        "group": (metadata.groups.optional_text(group) or group).strip(),
    }


def _mapping(row: Fields, metadata: _Metadata) -> ExplorerMapping:
    mapping_type = row.text("mapping_type").strip()
    return ExplorerMapping(
        **_capability(row, metadata),
        published_id=row.text("attack_object_id").strip(),
        mapping_type=mapping_type,
        mapping_name=metadata.types.fields(mapping_type).optional_text("name").strip(),
        score_category=row.optional_text("score_category").strip(),
        score_value=row.optional_text("score_value").strip(),
        comments=row.optional_text("comments").strip(),
        references=row.texts("references"),
    )
