"""Filters of tests, for page and API alike."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from aegis.lib.filters import Choices, Listed, Search, Text, YesNo
from coverage.models import Campaign, Test
from coverage.outcomes import Outcome
from coverage.workflow import State


def campaigns() -> Choices:
    """The live campaigns, the latest first."""
    rows = Campaign.objects.live().order_by("-pk").values_list("pk", "name")
    return [(str(pk), name) for pk, name in rows]


class TestFilter(django_filters.FilterSet):
    """Live tests, unless `archived=true` asks for those that were put away."""

    search = Search()
    state = django_filters.ChoiceFilter(choices=State.choices, empty_label="Any")
    outcome = django_filters.ChoiceFilter(choices=Outcome.choices, empty_label="Any")
    technique = Text(method="of_technique", label="Technique")
    campaign = Listed(method="of_campaign", choices=campaigns, label="Campaign")
    mine = YesNo(method="of_visitor", label="Mine")
    archived = YesNo(method="keep", label="Archived")

    class Meta:
        model = Test
        fields: tuple[str, ...] = ()

    def of_technique(self, queryset: QuerySet[Test], name: str, value: str) -> QuerySet[Test]:
        """Tests of a technique and of its sub-techniques."""
        wanted = value.strip().upper()
        return queryset.filter(Q(technique=wanted) | Q(technique__parent=wanted))

    def of_campaign(self, queryset: QuerySet[Test], name: str, value: str) -> QuerySet[Test]:
        """Tests of one campaign, by its number; any other word finds nothing."""
        return queryset.filter(campaign=value) if value.isdecimal() and len(value) < 10 else queryset.none()

    def of_visitor(self, queryset: QuerySet[Test], name: str, value: bool) -> QuerySet[Test]:
        """Tests that the visitor had a hand in or whose campaign they take part in, or all others."""
        own = Test.objects.involving(self.request.user).values("pk")
        return queryset.filter(pk__in=own) if value else queryset.exclude(pk__in=own)

    def keep(self, queryset: QuerySet[Test], name: str, value: Any) -> QuerySet[Test]:
        """No narrowing here: `filter_queryset` looks at it."""
        return queryset

    def filter_queryset(self, queryset: QuerySet[Test]) -> QuerySet[Test]:
        """The tests that were asked for."""
        found = super().filter_queryset(queryset)
        return (
            found.exclude(archived_at=None)
            if self.form.cleaned_data.get("archived")
            else found.filter(archived_at=None)
        )
