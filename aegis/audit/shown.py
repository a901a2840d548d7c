"""Rows of the audit trail for people: what a row is about in words, the page that tells more, the role in its own words.

A row keeps codes and copies, which stay as they were recorded. Kinds are the models' own names; pages their `get_absolute_url`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db.models import JSONField, Model, TextField
from django.urls import resolve

from aegis.accounts.access import required_action
from aegis.accounts.models import User
from aegis.accounts.policy import Role, allows
from aegis.audit.models import AuditLog
from aegis.audit.recording import SYSTEM

NOT_MODELS: Final = {
    "audit.audithead": "end of the audit trail",
    "audit.auditlog": "audit trail",
    "imports.bundle": "bundle",
    "intel.digest": "news by e-mail",
    "route": "address",
}
"""What there is no row of, or only one, and which goes by a word that nobody says."""
ROLES: Final = dict(Role.choices) | {SYSTEM: "No person"}
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row: `url` is the page of what it is about, empty where that has none, is gone, or is not for this reader."""

    row: AuditLog
    role: str
    action: str
    kind: str
    name: str
    url: str


def shown_rows(reader: User, rows: Iterable[AuditLog]) -> list[ShownRow]:
    """The rows in words, each with its link: one query for each kind of object among them."""
    listed = list(rows)
    urls = _urls(reader, listed)
    return [
        ShownRow(
            row,
            role=ROLES.get(row.actor_role, row.actor_role),
            action=action_words(row.action),
            kind=kind_name(row.object_type),
            name=row.object_label or row.object_id,
            url=urls.get((row.object_type, row.object_id), ""),
        )
        for row in listed
    ]


def action_words(code: str) -> str:
    """`user.role_changed` as "User role changed"."""
    words = code.replace(".", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def kind_name(code: str) -> str:
    """`coverage.test` as "test"; the code itself where nothing goes by it any more."""
    if code in NOT_MODELS:
        return NOT_MODELS[code]
    model = _model(code)
    return str(model._meta.verbose_name) if model else code


def _urls(reader: User, rows: list[AuditLog]) -> dict[Key, str]:
    ids: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        ids[row.object_type].add(row.object_id)
    found = {(kind, str(one.pk)): one.get_absolute_url() for kind in ids for one in _with_page(reader, kind, ids[kind])}
    return {key: url for key, url in found.items() if _is_open_to(reader, url)}


def _with_page(reader: User, kind: str, ids: set[str]) -> Iterable[Any]:
    """The objects of one kind that have a page, and are still there. Whose they are may decide who sees them."""
    model = _model(kind)
    if model is None or not hasattr(model, "get_absolute_url"):
        return []
    rows = model._default_manager.all()
    if hasattr(rows, "visible_to"):
        rows = rows.visible_to(reader)
    texts = [field.attname for field in model._meta.concrete_fields if isinstance(field, TextField | JSONField)]
    return rows.filter(pk__in=[one for one in ids if _is_id(model, one)]).defer(*texts)


def _is_id(model: type[Model], text: str) -> bool:
    """Whether a row can have it for an id: the failed login of a stranger has none."""
    try:
        model._meta.pk.clean(text, None)
    except ValidationError:
        return False
    return True


def _is_open_to(reader: User, url: str) -> bool:
    action = required_action(resolve(url.partition("?")[0].partition("#")[0]).func)
    return action is not None and allows(reader, action)


def _model(code: str) -> type[Model] | None:
    try:
        return apps.get_model(code)
    except (LookupError, ValueError):
        return None
