"""Models whose every saved change is recorded, whoever saves: admin, page, API or command.

The model's `save` must be atomic: then the change and its record stand or fall together. `QuerySet.update` is not seen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models.signals import post_delete, post_save, pre_save

from aegis.audit.recording import record

Verb = str | Callable[[Any], str]
BEFORE = "_audit_before"


@dataclass(frozen=True, slots=True)
class Watch:
    """Receivers of one model's signals. `verbs` says what a change of each watched field is called."""

    prefix: str
    verbs: Mapping[str, Verb]

    def remember(
        self, sender: type[models.Model], instance: models.Model, update_fields: Any = None, raw: bool = False, **_: Any
    ) -> None:
        """Keep the stored values of the fields that are about to be saved."""
        names = [name for name in self.verbs if update_fields is None or name in update_fields]
        known = instance.pk is not None and names and not raw
        stored = sender._base_manager.filter(pk=instance.pk).values(*names).first() if known else None
        setattr(instance, BEFORE, stored)

    def record_changed(self, instance: models.Model, **_: Any) -> None:
        """One row for each kind of change."""
        for verb, names in self._changed(instance, getattr(instance, BEFORE, None) or {}).items():
            before = {name: getattr(instance, BEFORE)[name] for name in names}
            after = {name: getattr(instance, name) for name in names}
            record(None, f"{self.prefix}.{verb}", instance, before=before, after=after)

    def record_created(self, instance: models.Model, created: bool, raw: bool = False, **_: Any) -> None:
        """A row for the creation."""
        if created and not raw:
            record(None, f"{self.prefix}.created", instance, after=self._facts(instance))

    def record_deleted(self, instance: models.Model, **_: Any) -> None:
        """A row for the deletion."""
        record(None, f"{self.prefix}.deleted", instance, before=self._facts(instance))

    def _facts(self, instance: models.Model) -> dict[str, Any]:
        return {name: getattr(instance, name) for name in self.verbs}

    def _changed(self, instance: models.Model, before: Mapping[str, Any]) -> dict[str, list[str]]:
        changes: dict[str, list[str]] = {}
        for name, stored in before.items():
            if stored != getattr(instance, name):
                verb = self.verbs[name]
                changes.setdefault(verb if isinstance(verb, str) else verb(instance), []).append(name)
        return changes


def watch(model: type[models.Model], prefix: str, verbs: Mapping[str, Verb]) -> None:
    """Record creation, deletion, and changes of the named fields: `prefix.created`, `prefix.deleted`, `prefix.<verb>`."""
    receivers = watch_changes(model, prefix, verbs)
    post_save.connect(receivers.record_created, sender=model, weak=False, dispatch_uid=f"audit {prefix} created")
    post_delete.connect(receivers.record_deleted, sender=model, weak=False, dispatch_uid=f"audit {prefix} deleted")


def watch_changes(model: type[models.Model], prefix: str, verbs: Mapping[str, Verb]) -> Watch:
    """As `watch`, for rows that the code itself brings: only what is done to them counts."""
    receivers = Watch(prefix, verbs)
    pre_save.connect(receivers.remember, sender=model, weak=False, dispatch_uid=f"audit {prefix}")
    post_save.connect(receivers.record_changed, sender=model, weak=False, dispatch_uid=f"audit {prefix} changed")
    return receivers
