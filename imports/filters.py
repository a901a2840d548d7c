"""Filters of runs, their changes and issues, and of unresolved references, for pages and API alike."""

from typing import Any

import django_filters
from django.db.models import Q

from aegis.lib.filters import Listed, Text, YesNo, distinct_values
from imports.models import DataSource, ImportChange, ImportRun


def sources() -> list[tuple[str, str]]:
    """The data sources by slug."""
    return list(DataSource.objects.values_list("slug", "label"))


class ImportRunFilter(django_filters.FilterSet):
    """Filters of import runs."""

    source = Listed(field_name="source__slug", choices=sources, any_label="Any source")
    status = django_filters.ChoiceFilter(choices=ImportRun.Status.choices, empty_label="Any status")
    dry_run = YesNo(label="Preview")


class ImportChangeFilter(django_filters.FilterSet):
    """Filters of the changes of a run."""

    kind = django_filters.ChoiceFilter(choices=ImportChange.Kind.choices, empty_label="Any change")
    model = Listed(
        lookup_expr="iexact",
        choices=lambda: distinct_values(ImportChange.objects.all(), "model"),
        any_label="Any kind of row",
    )
    search = Text(method="by_text")

    def by_text(self, queryset: Any, name: str, value: str) -> Any:
        """Changes whose key, name or path holds the text."""
        return queryset.filter(Q(key__icontains=value) | Q(name__icontains=value) | Q(path__icontains=value))
