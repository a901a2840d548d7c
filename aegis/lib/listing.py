"""Lists in the API: pages, filters and order, each refusing what it does not understand."""

import re
from collections.abc import Mapping
from typing import Any, Final

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


class Pages(PageNumberPagination):
    """`page` from 1, `page_size` from 1 to 500. A page beyond the end is 404; what is no number is 400, never page one."""

    page_size_query_param = "page_size"
    max_page_size = 500

    def get_page_size(self, request: Request) -> int:
        """The rows of a page. Raises ValidationError for a size that there is not."""
        text = request.query_params.get("page_size")
        if text is None:
            return int(self.page_size or self.max_page_size)
        if not WHOLE_NUMBER.fullmatch(text) or not 1 <= int(text) <= self.max_page_size:
            raise ValidationError({"page_size": [f"Write a whole number from 1 to {self.max_page_size}."]})
        return int(text)

    def get_page_number(self, request: Request, paginator: Any) -> int:
        """The number of the page. Raises ValidationError for what is no such number, NotFound for more digits than any."""
        text = request.query_params.get("page", "1")
        if not re.fullmatch("[0-9]+", text, re.ASCII) or not text.strip("0"):
            raise ValidationError({"page": ["Write a whole number from 1."]})
        if len(text) > 18:
            raise NotFound("There is no such page.")
        return int(text)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A page for the schema."""
        link = {"type": ["string", "null"], "format": "uri", "example": None}
        count = {"type": "integer", "minimum": 0, "example": 1}
        properties = {"count": count, "next": link, "previous": link, "results": schema}
        return {"type": "object", "required": list(properties), "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """`page` and `page_size` for the schema."""
        size = {"type": "integer", "minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [
            _query("page", "The page, from 1. A page beyond the end is 404.", {"type": "integer", "minimum": 1}),
            _query("page_size", "Rows of a page.", size),
        ]


class FilterBackend(DjangoFilterBackend):
    """Filters by the view's `filterset_class`. A parameter that nobody knows is refused: a typo never shows the whole list."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        """The rows that the query string asks for. Raises ValidationError by parameter."""
        refuse_unknown_parameters(request, self.known_parameters(view, queryset))
        return super().filter_queryset(request, queryset, view)

    def known_parameters(self, view: Any, queryset: Any) -> list[str]:
        """The names that the query string of this view may have, filters first."""
        filterset = self.get_filterset_class(view, queryset)
        names = list(filterset.base_filters) if filterset else []
        order = ["ordering"] if getattr(view, "ordering_fields", None) else []
        return [*names, *order, "page", "page_size", "format"]


class OrderingBackend(BaseFilterBackend):
    """Orders by `?ordering=`: names of the view's `ordering_fields` ({name: column}), `-` for descending, several by commas."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """The rows in order; rows that are equal keep a fixed order of their own. Raises ValidationError."""
        fields = getattr(view, "ordering_fields", {})
        text = request.query_params.get("ordering", "")
        if not text or not fields:
            return queryset
        return queryset.order_by(*(_column(term, fields) for term in text.split(",")), "pk")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """`ordering` for the schema."""
        fields = getattr(view, "ordering_fields", {})
        if not fields:
            return []
        names = "|".join(fields)
        schema = {"type": "string", "pattern": f"^(-?({names})(,-?({names}))*)?$"}
        return [_query("ordering", f"Order by {', '.join(fields)}; a minus in front turns it round.", schema)]


def _column(term: str, fields: Mapping[str, str]) -> str:
    name = term.removeprefix("-")
    if name not in fields:
        raise ValidationError({"ordering": [f"Cannot order by `{name}`: choose from {', '.join(fields)}."]})
    return f"-{fields[name]}" if term.startswith("-") else fields[name]


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def refuse_unknown_parameters(request: Request, known: list[str]) -> None:
    """Raises ValidationError for parameters that are not among `known`, or that are given twice."""
    errors = {
        name: [f"There is no parameter `{name}` here: choose from {', '.join(known)}."]
        for name in request.query_params
        if name not in known
    }
    repeated = {
        name: ["Give it once."] for name, values in request.query_params.lists() if name in known and len(values) > 1
    }
    if errors or repeated:
        raise ValidationError(errors | repeated)
