"""Comparing two catalogues: a SHA-256 per table over natural keys and content, without ids and times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from django.db.models import Model

from imports.targets import RESOLVED, TARGETS, Children, Target


def catalog_digest() -> dict[str, str]:
    """The digest of each table by its model label, over rows that upstream publishes now, and of all as "total"."""
    digests: dict[str, str] = {}
    for target in TARGETS:
        digests[target.label] = _digest(_rows(target))
        for children in target.children.values():
            digests[children.model._meta.label_lower] = _digest(_child_rows(target, children))
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


def _rows(target: Target) -> Iterator[str]:
    columns = ("source", "path", *target.columns, *_resolved_columns(target.model))
    rows = target.model._default_manager.filter(withdrawn_at=None).values_list(*columns).order_by()
    return (_canonical(row) for row in rows.iterator(chunk_size=2000))


def _child_rows(target: Target, children: Children) -> Iterator[str]:
    parent_key = [f"{children.parent}__{column}" for column in target.unique_columns]
    columns = (*parent_key, *children.columns, *_resolved_columns(children.model))
    current = {f"{children.parent}__withdrawn_at": None}
    rows = children.model._default_manager.filter(**current).values_list(*columns).order_by()
    return (_canonical(row) for row in rows.iterator(chunk_size=2000))


def _resolved_columns(model: type[Model]) -> tuple[str, ...]:
    names = {field.attname for field in model._meta.concrete_fields}
    return RESOLVED if names.issuperset(RESOLVED) else ()


def _canonical(row: tuple[Any, ...]) -> str:
    return json.dumps(row, sort_keys=True, separators=(",", ":"), default=str)
