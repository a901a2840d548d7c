"""`record` and `record_each`: the one way into the audit trail."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import models, transaction

from aegis.audit.chain import GENESIS, known_keys, same, signing_key
from aegis.audit.models import AuditHead, AuditLog
from aegis.audit.redaction import clean, clean_text
from aegis.audit.visit import Visit, current_visit
from aegis.audit.writing import Head, locked_head, write
from aegis.lib.numbers import current_numbers

SYSTEM = "system"
"""The name and the role of the actor where nobody asked: commands and schedules."""


class AuditBroken(RuntimeError):
    """The chain's head is not as it was left: nothing can be recorded, and so nothing can be changed."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What something happened to, where there is no row to name."""

    type: str
    id: str = ""
    label: str = ""


def record(
    actor: Any,
    action: str,
    obj: models.Model | Subject | None = None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
    request: Any = None,
) -> AuditLog:
    """Add a row to the trail, in the caller's transaction: if that fails the change fails, even if somebody catches the error.

    Without `actor` it is whoever is logged in to the current request; without a request, the system. `before` and `after` are
    the fields that changed; those with a secret's name are redacted. Writers queue from here to the end of their transaction,
    so record last. Raises AuditBroken.
    """
    facts = {**_origin(actor, request), **_change(action, obj, before=before, after=after, note=note)}
    with transaction.atomic(savepoint=False):
        return _append([facts])[-1]


def record_each(actor: Any, action: str, changed: Iterable[tuple[models.Model, Mapping[str, Any]]]) -> None:
    """As `record` for each (object, `after`), in this order and at one moment: a few statements however many there are."""
    origin = _origin(actor)
    if facts := [{**origin, **_change(action, obj, after=after)} for obj, after in changed]:
        with transaction.atomic(savepoint=False):
            _append(facts)


def start_chain() -> AuditHead:
    """The head of an empty chain, for a new database."""
    return AuditHead.objects.create(**_head(0, GENESIS))


def accept_chain(note: str) -> AuditLog:
    """Sign the chain as it stands, after its damage was looked into or its key was lost; the first row that follows says so.

    What `verify_audit` found before, it will still find.
    """
    with transaction.atomic():
        found = AuditHead.objects.select_for_update().filter(pk=1).values("size", "mac").first()
        last = AuditLog.objects.order_by("-id").first()
        size, mac = (last.id, last.mac) if last else (0, GENESIS)
        AuditHead.objects.update_or_create(pk=1, defaults=_head(size, mac))
        after = {"size": size, "mac": mac}
        return record(None, "audit.accepted", Subject("audit.audithead", "1"), before=found, after=after, note=note)


def iso(at: datetime) -> str:
    """A moment as it is signed: UTC, with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _append(changes: Sequence[Mapping[str, Any]]) -> list[AuditLog]:
    key = signing_key()
    head = _sound_head()
    rows: list[AuditLog] = []
    for number, facts in enumerate(changes, head.size + 1):
        before = rows[-1].mac if rows else head.mac
        row = AuditLog(id=number, at=head.now, key_id=key.id, prev_mac=before, **facts)
        row.mac = key.mac_of(row.prev_mac, {**vars(row), "at": iso(row.at)})
        rows.append(row)
    write(rows, key)
    return rows


def _sound_head() -> Head:
    """The head, locked until the transaction ends. Raises AuditBroken if it is not what `write` left."""
    head = locked_head()
    if head is None:
        raise AuditBroken(
            "The head of the audit trail is gone: run `manage.py verify_audit`, and see docs/configuration.md."
        )
    key = known_keys().get(head.key_id)
    if key is None:
        raise AuditBroken(
            "The audit trail was signed with a key that is neither AUDIT_HMAC_KEY nor in AUDIT_HMAC_OLD_KEYS: give it back."
        )
    if not same(key.signature_of(head.size, head.mac), head.signature):
        raise AuditBroken("The head of the audit trail was changed from outside: run `manage.py verify_audit`.")
    return head


def _head(size: int, mac: str) -> dict[str, Any]:
    key = signing_key()
    return {"size": size, "mac": mac, "key_id": key.id, "signature": key.signature_of(size, mac)}


def _origin(actor: Any, request: Any = None) -> dict[str, Any]:
    visit = current_visit(request)
    asked = {
        "ip": visit.ip if visit else "",
        "request_id": visit.id if visit else current_numbers().get("request", ""),
    }
    return {**_actor(actor, visit), **asked}


def _change(
    action: str,
    obj: models.Model | Subject | None,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    note: str = "",
) -> dict[str, Any]:
    facts = {"before": clean(before or {}), "after": clean(after or {}), "note": clean_text(note)}
    return {**_subject(obj), "action": action, **facts}


def _actor(actor: Any, visit: Visit | None) -> dict[str, Any]:
    user = actor or (visit.user if visit else None)
    if user is None:
        nobody = "" if visit else SYSTEM
        return {"actor_id": None, "actor_name": nobody, "actor_role": nobody}
    return {"actor_id": user.pk, "actor_name": clean_text(user.get_username(), 150), "actor_role": str(user.role)[:16]}


def _subject(obj: models.Model | Subject | None) -> dict[str, str]:
    if isinstance(obj, models.Model):
        obj = Subject(obj._meta.label_lower, str(obj.pk), str(obj))
    subject = obj or Subject("")
    return {
        "object_type": clean_text(subject.type, 64),
        "object_id": clean_text(subject.id, 64),
        "object_label": clean_text(subject.label, 255),
    }
