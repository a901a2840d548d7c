"""Techniques of the organisation's own: adding, changing, archiving and restoring one. ATT&CK's are upstream's to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from aegis.accounts.models import User
from aegis.audit.recording import record
from catalog.local import WRITABLE, checked, new_id, parent_of
from catalog.models import LOCAL, LocalTechnique, Technique, TechniqueTactic
from catalog.resolution import Resolver, resolve_again
from coverage.services.layers import resolve_layers
from coverage.services.status import refresh_status
from coverage.services.writing import permit
from coverage.testing.refusals import Conflict, StaleVersion


class Taken(Conflict):
    """The id belongs to another technique; the message says to which."""


class NotOurs(Conflict):
    """The technique is upstream's: the next import would undo the change."""


@transaction.atomic
def create_technique(
    *,
    by: User,
    mitre_id: str,
    name: str,
    tactics: Sequence[str] = (),
    description: str = "",
    platforms: Sequence[str] = (),
    url: str = "",
    parent: str | None = None,
) -> Technique:
    """A technique that no import touches; `catalog.local` says what it may be. The id tells the parent: one given has to be it.

    Raises NotAllowed, Taken, ValidationError {field: messages}.
    """
    permit(by, "technique.edit")
    _require_free(mitre_id)
    wanted = new_id(mitre_id)
    above = parent_of(wanted, parent)
    given = {"name": name, "description": description, "tactics": tactics, "platforms": platforms, "url": url}
    values = checked(given, above)
    technique = _added(by, wanted, above, values)
    _settle(by, technique, "created", after={"mitre_id": wanted, **values})
    return technique


@transaction.atomic
def edit_technique(
    *, by: User, technique: Technique, changes: Mapping[str, Any], version: int | None = None
) -> Technique:
    """The technique with these fields of `catalog.local.WRITABLE` changed.

    Raises NotAllowed, NotOurs, StaleVersion, Conflict for an archived one, ValidationError {field: messages}.
    """
    technique = _locked(by, technique, version)
    if technique.withdrawn_at:
        raise Conflict(f"{technique.mitre_id} is archived: restore it before you change it.")
    before = facts_of(technique)
    values = checked(changes, technique.parent)
    moved = {name: value for name, value in values.items() if before[name] != value}
    if not moved:
        return technique
    _place(technique, moved.get("tactics"))
    _save(by, technique, {name: value for name, value in moved.items() if name != "tactics"})
    record(by, "technique.edited", technique, before={name: before[name] for name in moved}, after=moved)
    return technique


@transaction.atomic
def archive_technique(*, by: User, technique: Technique, note: str = "", version: int | None = None) -> Technique:
    """The technique put away: its tests and its page stay, and it counts for nothing. Raises NotAllowed, NotOurs, Conflict."""
    technique = _locked(by, technique, version)
    if technique.withdrawn_at:
        raise Conflict(f"{technique.mitre_id} is archived already.")
    below = Technique.objects.active().filter(parent=technique.mitre_id).order_by("mitre_id")
    if names := list(below.values_list("mitre_id", flat=True)):
        raise Conflict(f"{', '.join(names)} stand below {technique.mitre_id}: archive them first.")
    _save(by, technique, {"withdrawn_at": timezone.now()})
    _settle(by, technique, "archived", after={"withdrawn_at": technique.withdrawn_at}, note=note)
    return technique


@transaction.atomic
def restore_technique(*, by: User, technique: Technique, note: str = "", version: int | None = None) -> Technique:
    """An archived technique as it was. Raises NotAllowed, NotOurs, Conflict."""
    technique = _locked(by, technique, version)
    if not technique.withdrawn_at:
        raise Conflict(f"{technique.mitre_id} is not archived.")
    if technique.parent and not technique.parent.is_active:
        raise Conflict(f"{technique.parent_id}, which it stands below, is not active.")
    before = {"withdrawn_at": technique.withdrawn_at}
    _save(by, technique, {"withdrawn_at": None})
    _settle(by, technique, "restored", before=before, after={"withdrawn_at": None}, note=note)
    return technique


def facts_of(technique: Technique) -> dict[str, Any]:
    """What can be changed of a technique, as it stands."""
    tactics = [place.tactic_id for place in technique.technique_tactics.all()]
    return {name: tactics if name == "tactics" else getattr(technique, name) for name in WRITABLE}


def require_ours(technique: Technique) -> None:
    """Raises NotOurs, with the reason, for a technique of upstream's."""
    if technique.is_local:
        return
    raise NotOurs(
        f"{technique.mitre_id} is a technique of MITRE ATT&CK: all its fields ({', '.join(WRITABLE)}) come from upstream, "
        "and the next import would undo a change. Only local techniques can be changed here."
    )


def _require_free(mitre_id: str) -> None:
    standing = Technique.objects.filter(mitre_id=mitre_id.strip().upper()).first()
    if standing is not None:
        raise _taken(standing)


def _taken(standing: Technique) -> Taken:
    whose = "a local technique" if standing.is_local else "a technique of MITRE ATT&CK"
    archived = ", archived: restore that one" if standing.is_local and standing.withdrawn_at else ""
    return Taken(f"{standing.mitre_id} is {whose} already ({standing.name}{archived}).")


def _added(by: User, mitre_id: str, parent: Technique | None, values: Mapping[str, Any]) -> Technique:
    now = timezone.now()
    columns = {name: value for name, value in values.items() if name != "tactics"}
    technique = Technique(
        mitre_id=mitre_id,
        stix_id=f"attack-pattern--{uuid4()}",
        parent=parent,
        is_subtechnique=parent is not None,
        source=LOCAL,
        first_seen_at=now,
        changed_at=now,
        **columns,
    )
    try:
        with transaction.atomic():
            technique.save(force_insert=True)
    except IntegrityError:  # somebody else added it at the same moment
        raise _taken(Technique.objects.get(mitre_id=mitre_id)) from None
    LocalTechnique.objects.create(technique=technique, added_by=by, changed_by=by)
    _place(technique, values["tactics"])
    return technique


def _locked(by: User, technique: Technique, version: int | None) -> Technique:
    """The technique as it stands now, locked until the transaction ends; at `version`, unless that is None."""
    permit(by, "technique.edit", technique)
    standing: Technique = Technique.objects.select_for_update().get(pk=technique.pk)
    require_ours(standing)
    local = LocalTechnique.objects.select_related("changed_by").get(technique=standing)
    if version not in {None, local.version}:
        raise StaleVersion(
            f"{standing.mitre_id} has changed since you looked (you saw version {version}, it is at {local.version}): "
            f"{local.changed_by} wrote at {standing.changed_at:%Y-%m-%d %H:%M:%S} UTC. Load it again."
        )
    return standing


def _save(by: User, technique: Technique, values: Mapping[str, Any]) -> None:
    for name, value in {**values, "changed_at": timezone.now()}.items():
        setattr(technique, name, value)
    technique.save(update_fields=[*values, "changed_at"])
    LocalTechnique.objects.filter(technique=technique).update(changed_by=by, version=F("version") + 1)


def _place(technique: Technique, tactics: Sequence[str] | None) -> None:
    """Put the technique into these columns; None leaves it where it is."""
    if tactics is None:
        return
    technique.technique_tactics.all().delete()
    TechniqueTactic.objects.bulk_create(
        TechniqueTactic(technique=technique, tactic_id=shortname, position=position)
        for position, shortname in enumerate(tactics)
    )


def _settle(by: User, technique: Technique, verb: str, **told: Any) -> None:
    """Bring what ids mean, and the statuses, into step with a technique that came or went; and leave the trace."""
    resolver = Resolver.load()
    resolve_again(resolver)
    resolve_layers(resolver)
    refresh_status([technique.mitre_id])
    record(by, f"technique.{verb}", technique, **told)
