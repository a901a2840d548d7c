"""Template tags about the runs that changed an imported row."""

from __future__ import annotations

from django import template

from catalog.models import Sourced
from imports.row_pages import RowHistory, history_of

register = template.Library()


@register.simple_tag
def runs_of(row: Sourced) -> RowHistory:
    """`{% runs_of rule as history %}`: the newest runs that changed the row, and where all are. One query."""
    return history_of(row)
