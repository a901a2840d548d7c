"""The order of a list on a page: `?ordering=name`, or `?ordering=-name` for the other way round."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import F, Model, QuerySet
from django.db.models.expressions import Combinable, Expression
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
Keys = Mapping[str, str | Expression]
"""What a list can be ordered by: a name for the query string, and the column or expression behind it."""


def ordered(request: HttpRequest, queryset: QuerySet[Row], keys: Keys) -> QuerySet[Row]:
    """`queryset` in the order that the query string asks for; in its own where that is no name of `keys`.

    Rows that are equal, or that lack the value (they come last), keep a fixed order.
    """
    asked = request.GET.get("ordering", "")
    key = keys.get(asked.removeprefix("-"))
    if key is None:
        return queryset
    value: Any = F(key) if isinstance(key, str) else key
    term = value.desc(nulls_last=True) if asked.startswith("-") else value.asc(nulls_last=True)
    return queryset.order_by(term, *_own_order(queryset))


def _own_order(queryset: QuerySet[Row]) -> list[str | Combinable]:
    return [*(queryset.query.order_by or queryset.model._meta.ordering or []), "pk"]
