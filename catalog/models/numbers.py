"""Counting what belongs to a row without joining it: lists keep their order, and a page counts only for its own rows."""

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce


def distinct_number(rows: QuerySet, owner: str, of: str) -> Coalesce:  # type: ignore[type-arg]
    """An annotation: how many different values of `of` there are in the `rows` whose `owner` is the annotated row."""
    owned = rows.filter(**{owner: OuterRef("pk")}).order_by().values(owner)
    return Coalesce(Subquery(owned.annotate(number=Count(of, distinct=True)).values("number")), 0)
