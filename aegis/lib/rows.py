"""One row by its natural key."""

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

Row = TypeVar("Row", bound=Model)


def row_or_404(rows: QuerySet[Row], **key: str) -> Row:
    """The row with that key. Raises Http404 for a key that there is not, or that no database looks up (PostgreSQL and NUL)."""
    if any("\0" in value for value in key.values()):
        raise Http404("no row has such a key")
    return get_object_or_404(rows, **key)
