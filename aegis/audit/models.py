"""The audit trail: one row for each thing that happened, in one chain, and the row that says how far the chain goes."""

import json
from typing import Any, ClassVar, NamedTuple

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Replace


class Difference(NamedTuple):
    """One field before and after, as text; None where it was not there."""

    name: str
    before: str | None
    after: str | None


class AuditLogQuerySet(models.QuerySet["AuditLog"]):
    """Queries of the audit trail."""

    def search(self, text: str) -> "AuditLogQuerySet":
        """Rows whose action (as code or in words), actor, object, origin or note holds `text`."""
        words = Replace(Replace("action", Value("."), Value(" ")), Value("_"), Value(" "))
        names = ("action", "action_words", "actor_name", "object_label", "object_id", "note", "ip", "request_id")
        found = Q()
        for name in names:
            found |= Q(**{f"{name}__icontains": text})
        return self.alias(action_words=words).filter(found)


class AuditLog(models.Model):
    """What happened: who, when by the database's clock, from where, what, to which object, before and after.

    Names and roles are copies: the row says what was true then, whatever becomes of the user. `id` counts from 1 without gaps.
    `mac` covers the row and `prev_mac`, which is the `mac` of the row before; see `aegis.audit.chain`. A trigger refuses every
    UPDATE and DELETE.
    """

    id = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=150, blank=True, db_index=True)
    actor_role = models.CharField(max_length=16, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=32, blank=True)
    action = models.CharField(max_length=64, db_index=True)
    object_type = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_label = models.CharField(max_length=255, blank=True)
    before = models.JSONField(default=dict, blank=True)
    after = models.JSONField(default=dict, blank=True)
    note = models.TextField(blank=True)
    key_id = models.CharField(max_length=16)
    prev_mac = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)

    objects: ClassVar[Any] = AuditLogQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["object_type", "object_id"], name="audit_object")]

    def __str__(self) -> str:
        return f"{self.id} {self.action} {self.object_label}".rstrip()

    @property
    def differences(self) -> list[Difference]:
        """The fields that the row tells of, by name."""
        names = sorted({*self.before, *self.after})
        return [Difference(name, _shown(self.before, name), _shown(self.after, name)) for name in names]


class AuditHead(models.Model):
    """How many rows the chain has, and the MAC of the last: one row, signed, that every writer locks in turn."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    size = models.PositiveBigIntegerField(default=0)
    mac = models.CharField(max_length=64)
    key_id = models.CharField(max_length=16)
    signature = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="audit_one_head")]

    def __str__(self) -> str:
        return f"{self.size} rows, {self.mac}"


def _shown(facts: dict[str, Any], name: str) -> str | None:
    if name not in facts:
        return None
    value = facts[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
