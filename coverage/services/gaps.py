"""Giving the gap of a technique to somebody, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from aegis.accounts.models import User
from aegis.accounts.policy import allows
from aegis.audit.recording import record
from catalog.models import Technique
from coverage.models import GapAssignment, TechniqueCoverage
from coverage.services.writing import permit
from coverage.testing.refusals import Conflict


class NoGap(Conflict):
    """The technique is proven, or ATT&CK no longer has it: there is nothing to own."""


class OwnedByAnother(Conflict):
    """Somebody gave the gap away since the caller looked; the message says who, to whom, and when."""


@transaction.atomic
def assign_gap(
    *, by: User, technique: Technique, changes: Mapping[str, Any], seen: str | None = None
) -> GapAssignment | None:
    """The gap in the hands of `changes["owner"]`, a User, with `due_on` and `note`; None where that takes it back.

    What is not named stays as it is, unless the gap goes to another person. `seen` is the user name of the owner that the
    caller saw ("" for nobody), None if they do not say.

    Raises NotAllowed, NoGap, OwnedByAnother, ValidationError {field: messages}.
    """
    permit(by, "gap.assign", technique)
    Technique.objects.select_for_update(no_key=True).get(pk=technique.pk)
    rows = GapAssignment.objects.standing().select_related("owner", "assigned_by")
    standing = rows.filter(technique=technique).first()
    _check_seen(standing, seen)
    owner: User | None = changes.get("owner", standing and standing.owner)
    if owner is None:
        return _taken_back(by, technique, standing, changes)
    _check_gap(technique)
    _check_owner(owner)
    kept = standing if standing and standing.owner_id == owner.pk else None
    _check_day(changes.get("due_on"), kept)
    return _changed(by, kept, changes) if kept else _given(by, technique, owner, standing, changes)


def _check_seen(standing: GapAssignment | None, seen: str | None) -> None:
    if seen is None or seen == (standing.owner.username if standing else ""):
        return
    if standing is None:
        raise OwnedByAnother(f"Somebody has taken the gap back from {seen} since you looked: look again.")
    at = f"{standing.assigned_at:%Y-%m-%d %H:%M} UTC"
    raise OwnedByAnother(f"{standing.assigned_by} gave the gap to {standing.owner} at {at}: look again.")


def _check_gap(technique: Technique) -> None:
    if not technique.is_active:
        raise NoGap(f"{technique.mitre_id} is no active technique: there is no gap to own.")
    if TechniqueCoverage.objects.filter(technique=technique, proven=True).exists():
        raise NoGap(f"{technique.mitre_id} is proven: there is no gap to own.")


def _check_owner(owner: User) -> None:
    if allows(owner, "gap.own"):
        return
    why = "may not own gaps: choose a tech or a lead" if owner.is_active else "is deactivated: choose somebody else"
    raise ValidationError({"owner": [f"{owner.username} {why}."]})


def _check_day(due_on: Any, kept: GapAssignment | None) -> None:
    """Raises ValidationError for a day that has passed, unless it was due then already."""
    if due_on and due_on < timezone.now().date() and not (kept and kept.due_on == due_on):
        raise ValidationError({"due_on": ["This day has passed: choose today or later."]})


def _taken_back(
    by: User, technique: Technique, standing: GapAssignment | None, changes: Mapping[str, Any]
) -> GapAssignment | None:
    if changes.get("due_on") or changes.get("note"):
        raise ValidationError({"owner": ["Without an owner there is neither a day nor a note."]})
    if "owner" not in changes:
        raise ValidationError({"owner": ["Nobody owns this gap: name an owner."]})
    if standing:
        _end(by, standing)
        record(by, "gap.cleared", technique, before=standing.facts, after={"owner": None})
    return None


def _changed(by: User, kept: GapAssignment, changes: Mapping[str, Any]) -> GapAssignment:
    before = kept.facts
    kept.due_on, kept.note = changes.get("due_on", kept.due_on), changes.get("note", kept.note)
    if kept.facts != before:
        kept.full_clean(validate_constraints=False)
        kept.save(update_fields=["due_on", "note"])
        record(by, "gap.changed", kept.technique, before=before, after=kept.facts)
    return kept


def _given(
    by: User, technique: Technique, owner: User, standing: GapAssignment | None, changes: Mapping[str, Any]
) -> GapAssignment:
    told = {name: changes[name] for name in ("due_on", "note") if name in changes}
    given = GapAssignment(technique=technique, owner=owner, assigned_by=by, **told)
    given.full_clean(validate_constraints=False)
    if standing:
        _end(by, standing)
    given.save()
    record(by, "gap.assigned", technique, before=standing.facts if standing else {"owner": None}, after=given.facts)
    return given


def _end(by: User, standing: GapAssignment) -> None:
    standing.ended_by, standing.ended_at = by, timezone.now()
    standing.save(update_fields=["ended_by", "ended_at"])
