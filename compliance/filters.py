"""Filters of compliance controls, for pages and API alike."""

from typing import Any

import django_filters
from django.db.models import Q

from aegis.lib.filters import Choices, Listed, Search, Text, YesNo, distinct_values
from catalog.filters import names_technique
from compliance.models import ComplianceControl, ComplianceControlMapping, ComplianceFramework


def frameworks() -> Choices:
    """The frameworks by slug."""
    return [(framework.slug, str(framework)) for framework in ComplianceFramework.objects.current()]


class ComplianceControlFilter(django_filters.FilterSet):
    """Filters of controls: those in force, unless withdrawn ones are asked for."""

    search = Search()
    framework = Listed(choices=frameworks)
    category = Listed(label="Family", choices=lambda: distinct_values(ComplianceControl.objects.in_force(), "category"))
    technique = Text(method="by_technique", label="Technique")
    withdrawn = YesNo(method="by_withdrawn", label="Withdrawn")

    def filter_queryset(self, queryset: Any) -> Any:
        """The controls that were asked for; those in force if nothing is said about it."""
        found = super().filter_queryset(queryset)
        return found.in_force() if self.form.cleaned_data.get("withdrawn") is None else found

    def by_withdrawn(self, queryset: Any, name: str, value: bool) -> Any:
        """Controls that their framework withdrew or that upstream dropped; the others for False."""
        gone = Q(withdrawn=True) | ~Q(withdrawn_at=None)
        return queryset.filter(gone) if value else queryset.in_force()

    def by_technique(self, queryset: Any, name: str, value: str) -> Any:
        """Controls whose current mappings name a technique."""
        named = names_technique("", value, subtechniques=False)
        mappings = ComplianceControlMapping.objects.filter(named, is_current=True).order_by()
        return queryset.filter(pk__in=mappings.values("control"))
