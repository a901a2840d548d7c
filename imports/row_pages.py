"""From a change in a run's report back to the row that it is about: what the row is called, and its page where it has one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.apps import apps
from django.db.models import Model, QuerySet
from django.urls import reverse

from catalog.models import Sourced
from catalog.provenance import LastRun
from imports.difference import Piece, difference
from imports.models import ImportChange, ImportRun
from imports.store import key_text
from imports.targets import TARGETS, Target

NEWEST = 5
"""Changes that a row's page names."""
TARGET_OF_LABEL = {target.label: target for target in TARGETS}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a row before and after."""

    name: str
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class ShownChange:
    """A change as a page shows it. `url` is the row's page, empty where it has none."""

    row: ImportChange
    what: str
    url: str
    fields: list[FieldChange]

    @property
    def is_short(self) -> bool:
        """Whether the whole difference is no longer than a few lines: then it stands open."""
        return sum(len(piece.text) for field in self.fields for piece in field.pieces) <= 400


def shown_changes(run: ImportRun, changes: Iterable[ImportChange]) -> list[ShownChange]:
    """The changes of one run with their differences and links: one query per kind of row that has pages."""
    rows = list(changes)
    urls = _urls(run.source.slug, rows)
    return [
        ShownChange(row, kind_name(row.model), urls.get((row.model, row.key), ""), _field_changes(row)) for row in rows
    ]


def shown_changes_of_all(changes: Iterable[ImportChange]) -> list[ShownChange]:
    """The same for changes of several runs, each with its run and source at hand."""
    rows = list(changes)
    by_source: dict[str, list[ImportChange]] = defaultdict(list)
    for row in rows:
        by_source[row.run.source.slug].append(row)
    shown = {one.row.pk: one for of_source in by_source.values() for one in shown_changes(of_source[0].run, of_source)}
    return [shown[row.pk] for row in rows]


@dataclass(frozen=True, slots=True)
class RowHistory:
    """The newest changes of one row, each with its run; `query` finds all of them in the list of changes."""

    changes: list[ImportChange]
    query: str


def history_of(row: Sourced) -> RowHistory:
    """Which runs changed an imported row, the newest first. One query."""
    target = TARGET_OF_LABEL[row._meta.label_lower]
    asked = {"model": target.label, "key": _key(target, row)} | ({"source": row.source} if target.per_source else {})
    return RowHistory(list(_changes_of(row).select_related("run").order_by("-pk")[:NEWEST]), urlencode(asked))


def _changes_of(row: Sourced) -> QuerySet[ImportChange]:
    """What applied runs did to a row."""
    target = TARGET_OF_LABEL[row._meta.label_lower]
    changes = ImportChange.objects.applied().filter(model=target.label, key=_key(target, row))
    return changes.filter(run__source__slug=row.source) if target.per_source else changes


def last_run_of(row: Sourced) -> LastRun | None:
    """The run that changed an imported row last, None where none on record did. One query."""
    newest = _changes_of(row).order_by("-pk").values_list("run_id", flat=True).first()
    return LastRun(newest, reverse("imports:run-detail", args=[newest])) if newest else None


def kind_name(label: str) -> str:
    """What rows of a model are called ("detection rule"); the label itself for a model that no longer exists."""
    try:
        return str(apps.get_model(label)._meta.verbose_name)
    except (LookupError, ValueError):
        return label


def _field_changes(row: ImportChange) -> list[FieldChange]:
    """Short fields first: the whole upstream file, which repeats them all, comes last."""
    fields = [
        FieldChange(name.removesuffix("_id"), difference(before, after))
        for name, (before, after) in row.changed.items()
    ]
    return sorted(fields, key=lambda field: sum(len(piece.text) for piece in field.pieces))


def _urls(source: str, rows: list[ImportChange]) -> dict[tuple[str, str], str]:
    keys: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        keys[row.model].append(row.key)
    return {
        (label, key): url
        for label, wanted in keys.items()
        if (target := TARGET_OF_LABEL.get(label)) and hasattr(target.model, "get_absolute_url")
        for key, url in _urls_of(target, source, wanted).items()
    }


def _urls_of(target: Target, source: str, keys: list[str]) -> dict[str, str]:
    parts = [key.split(" ", len(target.key) - 1) for key in keys]
    wanted = {
        f"{column}__in": {part[place] for part in parts if len(part) > place} for place, column in _places(target)
    }
    rows = target.model._default_manager.filter(source=source, **wanted).only("pk", *target.key)
    return {_key(target, row): row.get_absolute_url() for row in rows}  # type: ignore[attr-defined]  # asked by the caller


def _places(target: Target) -> list[tuple[int, str]]:
    return list(enumerate(target.key))


def _key(target: Target, row: Model) -> str:
    return key_text([getattr(row, column) for column in target.key])
