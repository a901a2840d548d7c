"""Filters of the audit trail, for page, export and API alike."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import django_filters
from django import forms

from aegis.audit.models import AuditLog
from aegis.audit.shown import action_words, kind_name
from aegis.lib.filters import Listed, Search, Text, distinct_values


def values_of(field: str, words: Callable[[str], str] = str) -> Any:
    """What a column holds, for a select: codes under their words, in the order of the words."""
    return lambda: sorted(
        ((code, words(code)) for code, _ in distinct_values(AuditLog.objects.all(), field)), key=itemgetter(1)
    )


class Day(django_filters.DateFilter):
    """A day in UTC, as 2026-01-31."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "numeric"})
        super().__init__(*args, **{"widget": widget, "input_formats": ["%Y-%m-%d"]} | kwargs)


class AuditLogFilter(django_filters.FilterSet):
    """Filters of the audit trail."""

    search = Search()
    actor = Listed(field_name="actor_name", choices=values_of("actor_name"), any_label="Anybody", label="Who")
    action = Listed(choices=values_of("action", action_words), any_label="Any action", label="Action")
    object_type = Listed(choices=values_of("object_type", kind_name), any_label="Anything", label="Object")
    object_id = Text(label="Object id")
    since = Day(field_name="at", lookup_expr="date__gte", label="From day")
    until = Day(field_name="at", lookup_expr="date__lte", label="To day")
