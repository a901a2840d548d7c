"""What stands around a control: its control or its enhancements, and the sets of mappings that name it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.db.models import Q

from compliance.models import ComplianceControl, ComplianceControlMapping


@dataclass(frozen=True, slots=True)
class Family:
    """`parent` is the control that this one enhances, `enhancements` those of its own."""

    parent: ComplianceControl | None
    enhancements: tuple[ComplianceControl, ...]


@dataclass(frozen=True, slots=True)
class MappingSet:
    """The mappings of a control that were made for one ATT&CK version."""

    attack_version: str
    is_current: bool
    mappings: tuple[ComplianceControlMapping, ...]


@dataclass(frozen=True, slots=True)
class MappingSets:
    """The set that counts, and those that it replaced, newest first."""

    current: MappingSet | None
    older: tuple[MappingSet, ...]


def family_of(control: ComplianceControl) -> Family:
    """Parent and enhancements of a control in its framework, with one query."""
    around = Q(parent_control_id=control.control_id)
    if control.parent_control_id:
        around |= Q(control_id=control.parent_control_id)
    rows = list(ComplianceControl.objects.current().filter(around, framework=control.framework_id).order_by("sort_key"))
    parent = next((row for row in rows if row.control_id == control.parent_control_id), None)
    return Family(parent, tuple(row for row in rows if row is not parent))


def mappings_of(control: ComplianceControl) -> MappingSets:
    """All mappings of a control by set, with one query."""
    rows = control.mappings.select_related("technique").order_by(
        "-is_current", "-attack_version", "technique", "published_id"
    )
    sets = [
        MappingSet(version, is_current, tuple(mappings))
        for (is_current, version), mappings in groupby(rows, key=attrgetter("is_current", "attack_version"))
    ]
    current = next((one for one in sets if one.is_current), None)
    return MappingSets(current, tuple(one for one in sets if one is not current))
