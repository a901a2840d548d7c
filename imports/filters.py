"""Filters of runs, their changes and issues, and of unresolved references, for pages and API alike."""

from typing import Any, Final

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q

from aegis.lib.filters import Listed, Since, Text, Until, YesNo, distinct_values
from catalog.resolution import reference_models
from imports.models import DataSource, ImportChange, ImportRun
from imports.references import unresolved_references
from imports.registry import OPTIONAL

OPTIONAL_SLUGS: Final = frozenset(source.slug for source in OPTIONAL)


def sources() -> list[tuple[str, str]]:
    """The data sources by slug."""
    return list(DataSource.objects.values_list("slug", "label"))


def people() -> list[tuple[str, str]]:
    """Who asked for runs."""
    names = ImportRun.objects.exclude(requested_by=None).values_list("requested_by__username", flat=True)
    return [(name, name) for name in sorted(set(names.order_by()))]


class DataSourceFilter(django_filters.FilterSet):
    """The nine sources, or the optional ones."""

    optional = YesNo(method="by_need", label="Optional")

    def filter_queryset(self, queryset: Any) -> Any:
        """The nine, unless the optional ones are asked for."""
        chosen = Q(slug__in=OPTIONAL_SLUGS)
        return queryset.filter(chosen if self.form.cleaned_data.get("optional") else ~chosen)

    def by_need(self, queryset: Any, name: str, value: bool) -> Any:
        """All: `filter_queryset` knows."""
        return queryset


class ImportRunFilter(django_filters.FilterSet):
    """Filters of import runs."""

    source = Listed(field_name="source__slug", choices=sources, any_label="Any source", label="Source")
    status = django_filters.ChoiceFilter(choices=ImportRun.Status.choices, empty_label="Any status")
    dry_run = YesNo(label="Preview")
    trigger = Listed(choices=lambda: distinct_values(ImportRun.objects.all(), "trigger"), label="Trigger")
    person = Listed(field_name="requested_by__username", choices=people, any_label="Anybody", label="Asked for by")
    since = Since(field_name="created_at", label="Since")
    until = Until(field_name="created_at", label="Until")
    touches = Text(
        method="by_row",
        label="Search changed rows: name, id or file",
        widget=forms.TextInput(attrs={"type": "search"}),
    )

    def by_row(self, queryset: Any, name: str, value: str) -> Any:
        """Runs with a change whose key, name or path holds the text."""
        return queryset.filter(Exists(ImportChange.objects.search(value).filter(run=OuterRef("pk"))))


class ImportChangeFilter(django_filters.FilterSet):
    """Filters of the changes of a run."""

    kind = django_filters.ChoiceFilter(choices=ImportChange.Kind.choices, empty_label="Any", label="Change")
    model = Listed(
        lookup_expr="iexact",
        choices=lambda: distinct_values(ImportChange.objects.all(), "model"),
        any_label="Any",
        label="Kind of row",
    )
    search = Text(method="by_text", label="Search name, id or file")

    def by_text(self, queryset: Any, name: str, value: str) -> Any:
        """Changes whose key, name or path holds the text."""
        return queryset.search(value)


class ChangeFilter(ImportChangeFilter):
    """Filters of the changes of all runs that were applied."""

    source = Listed(field_name="run__source__slug", choices=sources, any_label="Any source", label="Source")
    key = Text(lookup_expr="exact", label="Key")
    since = Since(field_name="run__finished_at", label="Since")
    until = Until(field_name="run__finished_at", label="Until")


class UnresolvedReferenceFilter(django_filters.FilterSet):
    """Filters of unresolved references, which lie in several tables: the conditions go to each before they are joined."""

    source = Listed(field_name="source_slug", choices=sources, any_label="Any source")
    object_type = Listed(
        choices=lambda: sorted({(model.owner_model()._meta.label,) * 2 for model in reference_models()}),
        any_label="Any kind of row",
    )
    published_id = Text()

    def filter_queryset(self, queryset: Any) -> Any:
        """The references that meet the conditions."""
        asked = {self.filters[name].field_name: value for name, value in self.form.cleaned_data.items() if value}
        return unresolved_references(**asked)


class PublishedIdFilter(django_filters.FilterSet):
    """Filters of ids that are counted over several tables: the source, and a text in the id. They are asked for by name."""

    source = Listed(label="Source", choices=sources, any_label="Any")
    search = Text(label="Search ids")

    def asked(self, name: str) -> str:
        """The cleaned value of a filter, empty if it was not given or cannot be."""
        self.form.is_valid()
        return str(self.form.cleaned_data.get(name) or "")
