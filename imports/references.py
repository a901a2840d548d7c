"""Technique ids that mean nothing in the current release: which, in which rows, of which source."""

from __future__ import annotations

from typing import Any

from django.db.models import CharField, F, Model, QuerySet, Value
from django.db.models.functions import Cast

from catalog.models import TechniqueReference
from catalog.resolution import reference_models, unresolved

COLUMNS = ("published_id", "source_slug", "object_type", "object_id", "object_name")


def unresolved_references(**conditions: str) -> QuerySet[Any, dict[str, str]]:
    """Every unresolved reference of a current row, as {column of COLUMNS: text}, by published id and then by row.

    `conditions` are values of `source_slug`, `object_type` ("catalog.DetectionRule") and `published_id`, whatever their case.
    """
    first, *others = (_rows(model, conditions) for model in reference_models())
    references: QuerySet[Any, dict[str, str]] = first.union(*others, all=True).order_by(*COLUMNS)
    return references


def _rows(model: type[TechniqueReference], conditions: dict[str, str]) -> Any:
    owner = model.owner_model()
    columns = {
        "source_slug": F(model.owner("source")),
        "object_type": Value(owner._meta.label, CharField()),
        "object_id": Cast(model.owner(_first_field(owner, "mitre_id", "d3fend_id", "id")), CharField()),
        "object_name": Cast(model.owner(_first_field(owner, "name", "title")), CharField()),
    }
    rows = unresolved(model).order_by().annotate(**columns)
    return rows.filter(**{f"{name}__iexact": value for name, value in conditions.items()}).values(*COLUMNS)


def _first_field(model: type[Model], *names: str) -> str:
    fields = {field.name for field in model._meta.get_fields()}
    return next(name for name in names if name in fields)
