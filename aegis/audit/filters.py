"""Filters of the audit trail, for page, export and API alike."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

import django_filters
from django import forms

from aegis.audit.models import AuditLog
from aegis.audit.shown import action_words, kind_name
from aegis.lib.filters import Listed, Search, Since, Text, Until, distinct_values


def values_of(field: str, words: Callable[[str], str] = str) -> Any:
    """What a column holds, for a select: codes under their words, in the order of the words."""
    return lambda: sorted(
        ((code, words(code)) for code, _ in distinct_values(AuditLog.objects.all(), field)), key=itemgetter(1)
    )


def as_written() -> dict[str, Any]:
    """How a day is asked for: as 2026-01-31, in no other way."""
    return {"widget": forms.TextInput(attrs={"inputmode": "numeric"}), "input_formats": ["%Y-%m-%d"]}


class AuditLogFilter(django_filters.FilterSet):
    """Filters of the audit trail."""

    search = Search()
    actor = Listed(field_name="actor_name", choices=values_of("actor_name"), any_label="Anybody", label="Who")
    action = Listed(choices=values_of("action", action_words), any_label="Any action", label="Action")
    object_type = Listed(choices=values_of("object_type", kind_name), any_label="Anything", label="Object")
    object_id = Text(label="Object id")
    since = Since(field_name="at", label="From day", **as_written())
    until = Until(field_name="at", label="To day", **as_written())
