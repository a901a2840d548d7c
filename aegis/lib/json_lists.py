"""Searching JSON columns that hold a list of texts, alike on SQLite and PostgreSQL."""

import json

from django.db.models import Q


def contains_text(field: str, text: str) -> Q:
    """The condition that the list in JSON column `field` has the element `text`, compared without case.

    SQLite has no `contains` for JSON, so the element is looked for in the column's text, in its quotes.
    """
    return Q(**{f"{field}__icontains": json.dumps(text)})
