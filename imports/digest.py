"""Comparing two catalogues: a SHA-256 per table over natural keys and content, without ids and times.

Techniques that somebody added here are no part of it, and what resolves to one counts as unresolved: the digest is of what
upstreams publish.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from django.db.models import Model

from catalog.models import LOCAL, Resolution, Technique
from imports.targets import RESOLVED, TARGETS, Children, Target


def catalog_digest() -> dict[str, str]:
    """The digest of each table by its model label, over rows that upstream publishes now, and of all as "total"."""
    digests: dict[str, str] = {}
    local = set(map(str, Technique.objects.filter(source=LOCAL).values_list("mitre_id", flat=True)))
    for target in TARGETS:
        digests[target.label] = _digest(_rows(target, local))
        for children in target.children.values():
            digests[children.model._meta.label_lower] = _digest(_child_rows(target, children, local))
    digests["total"] = sha256(
        "".join(f"{label}{value}" for label, value in sorted(digests.items())).encode()
    ).hexdigest()
    return digests


def _digest(rows: Iterator[str]) -> str:
    digest = sha256()
    for row in sorted(rows):
        digest.update(row.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _rows(target: Target, local: set[str]) -> Iterator[str]:
    resolved = _resolved_columns(target.model)
    rows = target.model._default_manager.filter(withdrawn_at=None).exclude(source=LOCAL).order_by()
    found = rows.values_list("source", "path", *target.columns, *resolved).iterator(chunk_size=2000)
    return (_canonical(_upstream(row, local) if resolved else row) for row in found)


def _child_rows(target: Target, children: Children, local: set[str]) -> Iterator[str]:
    parent_key = [f"{children.parent}__{column}" for column in target.unique_columns]
    resolved = _resolved_columns(children.model)
    current = children.model._default_manager.filter(**{f"{children.parent}__withdrawn_at": None})
    rows = current.exclude(**{f"{children.parent}__source": LOCAL}).order_by()
    found = rows.values_list(*parent_key, *children.columns, *resolved).iterator(chunk_size=2000)
    return (_canonical(_upstream(row, local) if resolved else row) for row in found)


def _upstream(row: tuple[Any, ...], local: set[str]) -> tuple[Any, ...]:
    """A row that ends with `RESOLVED`, as it would be without local techniques."""
    return (*row[: -len(RESOLVED)], None, Resolution.UNRESOLVED.value) if row[-len(RESOLVED)] in local else row


def _resolved_columns(model: type[Model]) -> tuple[str, ...]:
    names = {field.attname for field in model._meta.concrete_fields}
    return RESOLVED if names.issuperset(RESOLVED) else ()


def _canonical(row: tuple[Any, ...]) -> str:
    return json.dumps(row, sort_keys=True, separators=(",", ":"), default=str)
