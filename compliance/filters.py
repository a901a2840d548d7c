"""Filters of compliance controls, for pages and API alike."""

from typing import Any

import django_filters
from django.db.models import Q

from aegis.lib.filters import Choices, Listed, Search, Text, YesNo, distinct_values
from catalog.filters import names_technique
from compliance.models import DEFENDS, ComplianceControl, ComplianceControlMapping, ComplianceFramework


def frameworks() -> Choices:
    """The frameworks by slug."""
    return [(framework.slug, str(framework)) for framework in ComplianceFramework.objects.shown()]


class ComplianceControlFilter(django_filters.FilterSet):
    """Filters of controls: those in force, unless withdrawn ones are asked for."""

    search = Search()
    framework = Listed(choices=frameworks)
    category = Listed(label="Family", choices=lambda: distinct_values(ComplianceControl.objects.in_force(), "category"))
    technique = Text(method="by_technique", label="Technique")
    defends = YesNo(method="by_defence", label="Said to mitigate or detect")
    withdrawn = YesNo(method="by_withdrawn", label="Withdrawn")

    def filter_queryset(self, queryset: Any) -> Any:
        """The controls that were asked for, of frameworks that are switched on; those in force if nothing is said about it."""
        found = super().filter_queryset(queryset).shown()
        return found.in_force() if self.form.cleaned_data.get("withdrawn") is None else found

    def by_withdrawn(self, queryset: Any, name: str, value: bool) -> Any:
        """Controls that their framework withdrew or that upstream dropped; the others for False."""
        gone = Q(withdrawn=True) | ~Q(withdrawn_at=None)
        return queryset.filter(gone) if value else queryset.in_force()

    def by_technique(self, queryset: Any, name: str, value: str) -> Any:
        """Controls whose current mappings name a technique; with `defends`, those of them that say so, or that do not."""
        named = names_technique("", value, subtechniques=False)
        defends = self.form.cleaned_data.get("defends")
        return queryset.filter(pk__in=_mapped(named if defends is None else named & _claims(defends)))

    def by_defence(self, queryset: Any, name: str, value: bool) -> Any:
        """Controls with a current mapping that claims to mitigate or detect; for False with one that only describes."""
        return queryset.filter(pk__in=_mapped(_claims(value)))


def _claims(defends: bool) -> Q:
    return DEFENDS if defends else ~DEFENDS


def _mapped(which: Q) -> Any:
    """The controls of some current mappings, by number."""
    return ComplianceControlMapping.objects.filter(which, is_current=True).order_by().values("control")


class ComplianceFrameworkFilter(django_filters.FilterSet):
    """Filters of frameworks: those that are switched on, unless the others are asked for."""

    switched_on = YesNo(label="Switched on")

    def filter_queryset(self, queryset: Any) -> Any:
        """The published frameworks; without a word about it those that are switched on."""
        found = super().filter_queryset(queryset).current()
        return found.shown() if self.form.cleaned_data.get("switched_on") is None else found
