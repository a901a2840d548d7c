"""Writing a snapshot's rows into the catalogue: differences only, in bulk, and what changed is told row by row."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from aegis.lib.bulk import insert_rows
from catalog.models import LOCAL
from catalog.resolution import Resolver
from imports.intake import Incoming
from imports.models import ImportChange
from imports.targets import Children, Target, Values

Item = TypeVar("Item")
Kind = ImportChange.Kind
NAMES = ("name", "title", "new_name")
"""Columns that name a row for people, by preference."""
CHUNK = 400
"""Keys per query: SQLite builds of all ages take 999 parameters."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the catalogue has under a natural key before the import."""

    pk: int
    source: str
    content_hash: str
    withdrawn: bool
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to happen to the rows of one kind. `taken` are left out: their keys belong to rows that somebody wrote here."""

    target: Target
    create: list[Incoming]
    update: list[Incoming]
    withdraw: list[tuple[Any, ...]]
    standing: dict[tuple[Any, ...], Standing]
    unchanged: int
    taken: list[Incoming]

    @property
    def writes(self) -> bool:
        """Whether anything has to be written."""
        return bool(self.create or self.update or self.withdraw)


@dataclass
class Provenance:
    """What every row written by one run gets."""

    source: str
    version: str
    now: datetime
    page: Callable[[str], str]


@dataclass
class Tally:
    """Rows of one kind by what happened to them, and the changes one by one."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    withdrawn: int = 0
    restored: int = 0
    changes: list[ImportChange] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """The counts by their names."""
        names = ("created", "updated", "unchanged", "withdrawn", "restored")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class Written:
    """What was done with the rows of one kind: the plan, the primary key of every row written, and the tally."""

    plan: Plan
    pks: dict[tuple[Any, ...], int]
    tally: Tally


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """The items in lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def make_plan(
    target: Target, incoming: dict[tuple[Any, ...], Incoming], source: str, spares: Callable[[str], bool]
) -> Plan:
    """Compare by content hash what came with what stands. Rows of the files that it `spares` are not withdrawn."""
    standing = _standing(target, source)
    taken = [row for key, row in incoming.items() if key in standing and standing[key].source == LOCAL]
    incoming = {row.key: row for row in incoming.values() if row not in taken} if taken else incoming
    create = [row for key, row in incoming.items() if key not in standing]
    update = [
        row
        for key, row in incoming.items()
        if (old := standing.get(key))
        and (old.withdrawn or old.source != source or old.content_hash != row.content_hash)
    ]
    gone = [
        key
        for key, old in standing.items()
        if key not in incoming and old.source == source and not old.withdrawn and not spares(old.path)
    ]
    return Plan(target, create, update, gone, standing, len(incoming) - len(create) - len(update), taken)


def _standing(target: Target, source: str) -> dict[tuple[Any, ...], Standing]:
    name = next((column for column in NAMES if column in target.columns), target.key[-1])
    columns = ("pk", "source", "content_hash", "withdrawn_at", "path", name, *target.key)
    rows = target.model._default_manager.filter(**({"source": source} if target.per_source else {}))
    return {
        tuple(key): Standing(pk, owner, hashed, gone is not None, path, named)
        for pk, owner, hashed, gone, path, named, *key in rows.order_by().values_list(*columns)
    }


def store_rows(plan: Plan, provenance: Provenance, resolver: Resolver) -> Written:
    """Write one kind's rows without what hangs below them."""
    tally = Tally(unchanged=plan.unchanged)
    before = _rows_before(plan)
    written = _write(plan, provenance, resolver)
    for incoming in plan.create:
        tally.created += 1
        tally.changes.append(_change(Kind.CREATED, plan.target, incoming))
    for incoming in plan.update:
        restored = plan.standing[incoming.key].withdrawn
        tally.restored += restored
        tally.updated += not restored
        changed = _changed_columns(before[incoming.key], incoming)
        tally.changes.append(_change(Kind.RESTORED if restored else Kind.UPDATED, plan.target, incoming, changed))
    _withdraw(plan, provenance, tally)
    return Written(plan, written, tally)


def _write(plan: Plan, provenance: Provenance, resolver: Resolver) -> dict[tuple[Any, ...], int]:
    target = plan.target
    if plan.create:
        insert_rows(
            target.model, (_row(incoming, provenance, resolver) | _ours(target, incoming) for incoming in plan.create)
        )
    _overwrite(plan, provenance, resolver)
    if not plan.create:
        return {incoming.key: plan.standing[incoming.key].pk for incoming in plan.update}
    pks = target.model._default_manager.filter(source=provenance.source).order_by().values_list("pk", *target.key)
    return {tuple(key): pk for pk, *key in pks}


def _overwrite(plan: Plan, provenance: Provenance, resolver: Resolver) -> None:
    target = plan.target
    model: Any = target.model  # one of many: what they share has no primary key of its own
    rows = [
        model(pk=plan.standing[incoming.key].pk, **_row(incoming, provenance, resolver)) for incoming in plan.update
    ]
    kept = ("first_seen_at", "id", *target.unique_columns, *target.ours)
    fields = [f.name for f in target.model._meta.concrete_fields if f.attname not in kept]
    if rows:
        model._default_manager.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=fields)


def _row(incoming: Incoming, provenance: Provenance, resolver: Resolver) -> Values:
    values = incoming.values
    if "published_id" in values:
        values = values | _resolved(values["published_id"], resolver)
    return {
        **values,
        "source": provenance.source,
        "path": incoming.path,
        "source_version": provenance.version,
        "source_url": provenance.page(incoming.path),
        "content_hash": incoming.content_hash,
        "first_seen_at": provenance.now,
        "changed_at": provenance.now,
        "withdrawn_at": None,
    }


def _ours(target: Target, incoming: Incoming) -> Values:
    return {column: first(incoming.record) for column, first in target.ours.items()}


def _resolved(published_id: str, resolver: Resolver) -> Values:
    found = resolver.resolve(published_id)
    return {"technique_id": found.mitre_id, "resolution": found.resolution}


def _rows_before(plan: Plan) -> dict[tuple[Any, ...], Values]:
    pks = [plan.standing[incoming.key].pk for incoming in plan.update]
    rows: dict[tuple[Any, ...], Values] = {}
    for chunk in chunks(pks):
        for row in plan.target.model._default_manager.filter(pk__in=chunk).values("path", *plan.target.columns):
            rows[plan.target.key_of(row)] = row
    return rows


def _changed_columns(before: Values, incoming: Incoming) -> dict[str, list[Any]]:
    after = incoming.values | {"path": incoming.path}
    return {name: [value, after[name]] for name, value in before.items() if value != after[name]}


def _withdraw(plan: Plan, provenance: Provenance, tally: Tally) -> None:
    for chunk in chunks([plan.standing[key].pk for key in plan.withdraw]):
        plan.target.model._default_manager.filter(pk__in=chunk).update(withdrawn_at=provenance.now)
    for key in plan.withdraw:
        old = plan.standing[key]
        tally.changes.append(
            ImportChange(kind=Kind.WITHDRAWN, model=plan.target.label, key=key_text(key), name=old.name, path=old.path)
        )
    tally.withdrawn += len(plan.withdraw)


def _change(kind: Kind, target: Target, incoming: Incoming, changed: Values | None = None) -> ImportChange:
    name = str(next((incoming.values[c] for c in NAMES if c in incoming.values), incoming.key[-1]))
    return ImportChange(
        kind=kind, model=target.label, key=key_text(incoming.key), name=name, path=incoming.path, changed=changed or {}
    )


def key_text(key: Sequence[Any]) -> str:
    """A natural key as one text, at most 320 characters."""
    return " ".join(map(str, key))[:320]


def store_children(written: Written, field_name: str, children: Children, resolver: Resolver) -> None:
    """Bring the rows below written rows to what the records say: set differences, so that what stays is not touched."""
    plan, pks = written.plan, written.pks
    touched = [*plan.create, *plan.update]
    standing = _standing_children(children, [pks[row.key] for row in plan.update])
    fresh: list[Values] = []
    stale: list[int] = []
    moved: dict[tuple[Any, ...], list[Any]] = {}
    for incoming in touched:
        parent = pks[incoming.key]
        wanted = {children.sort_key(row): row for row in children.rows(getattr(incoming.record, field_name))}
        old = standing.get(parent, {})
        added = [row for key, row in wanted.items() if key not in old]
        removed = [key for key in old if key not in wanted]
        fresh += [row | {f"{children.parent}_id": parent} for row in added]
        stale += [old[key][0] for key in removed]
        if added or removed:
            moved[incoming.key] = [[old[key][1] for key in removed], added]
    _replace(children, stale, fresh, resolver)
    _tell(plan, field_name, moved, written.tally)


def _standing_children(children: Children, parents: list[int]) -> dict[int, dict[str, tuple[int, Values]]]:
    found: dict[int, dict[str, tuple[int, Values]]] = defaultdict(dict)
    parent_column = f"{children.parent}_id"
    for chunk in chunks(parents):
        rows = children.model._default_manager.filter(**{f"{parent_column}__in": chunk})
        for row in rows.order_by().values("pk", parent_column, *children.columns):
            pk, parent = row.pop("pk"), row.pop(parent_column)
            found[parent][children.sort_key(row)] = (pk, row)
    return found


def _replace(children: Children, stale: list[int], fresh: list[Values], resolver: Resolver) -> None:
    manager = children.model._default_manager
    for chunk in chunks(stale):
        manager.filter(pk__in=chunk).delete()
    if children.is_reference:
        fresh = [row | _resolved(row["published_id"], resolver) for row in fresh]
    insert_rows(children.model, fresh)


def _tell(plan: Plan, field_name: str, moved: dict[tuple[Any, ...], list[Any]], tally: Tally) -> None:
    """Add what moved below updated rows to their changes: {field: [removed rows, added rows]}."""
    updated = {key_text(incoming.key) for incoming in plan.update}
    by_text = {key_text(key): value for key, value in moved.items()}
    for change in tally.changes:
        if change.key in updated and change.key in by_text:
            change.changed[field_name] = json.loads(json.dumps(by_text[change.key]))
