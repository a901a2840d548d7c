"""Filters of threat actors and of the news, for pages and API alike."""

from typing import Any, Final

import django_filters

from aegis.lib.filters import Choices, Listed, Search, Text, YesNo, distinct_items, distinct_values, within
from catalog.filters import AttackObjectFilter, names_technique
from intel.models import Feed, IntelItem, Mention, ThreatActor


class ThreatActorFilter(AttackObjectFilter):
    """Filters of threat actors: active ones, unless revoked, deprecated or withdrawn ones are asked for."""

    search = Search()
    technique = Text(method="by_technique", label="Technique")
    country = Listed(choices=lambda: distinct_values(ThreatActor.objects.active(), "country"))
    motivation = Listed(choices=lambda: distinct_values(ThreatActor.objects.active(), "motivation"))
    sector = Listed(
        method="by_sector",
        label="Sector",
        choices=lambda: distinct_items(ThreatActor.objects.active(), "target_sectors"),
    )

    region = Listed(
        method="by_region",
        label="Region",
        choices=lambda: distinct_items(ThreatActor.objects.active(), "target_regions"),
    )

    def by_technique(self, queryset: Any, name: str, value: str) -> Any:
        """Actors that use a technique, themselves or through a campaign."""
        return within(queryset, ThreatActor.objects.filter(names_technique("uses", value, subtechniques=False)))

    def by_sector(self, queryset: Any, name: str, value: str) -> Any:
        """Actors that are said to target a sector."""
        return queryset.targeting(value)

    def by_region(self, queryset: Any, name: str, value: str) -> Any:
        """Actors that are said to target a region."""
        return queryset.targeting_region(value)


ANY_STATE: Final = "any"


def feeds() -> Choices:
    """The feeds by number."""
    return [(str(pk), name) for pk, name in Feed.objects.values_list("pk", "name")]


def actors_in_the_news() -> Choices:
    """The actors that some item names, by ATT&CK id."""
    named = Mention.objects.filter(kind=Mention.Kind.ACTOR, confident=True).order_by().values("key").distinct()
    return list(ThreatActor.objects.filter(mitre_id__in=named).values_list("mitre_id", "name"))


def people_with_news() -> Choices:
    """The people who have open items, by user name."""
    names = IntelItem.objects.open().exclude(assigned_to=None).order_by("assigned_to__username")
    return [(name, name) for name in names.values_list("assigned_to__username", flat=True).distinct()]


class IntelItemFilter(django_filters.FilterSet):
    """Filters of items: those that nobody has decided on, unless a state is asked for."""

    search = Search()
    technique = Text(method="by_technique", label="Technique")
    actor = Listed(method="by_actor", label="Actor", choices=actors_in_the_news)
    feed = Listed(method="by_feed", label="Feed", choices=feeds)
    state = django_filters.ChoiceFilter(
        method="by_state",
        choices=[*IntelItem.State.choices, (ANY_STATE, "Any")],
        empty_label="Open",
        label="State",
    )
    assigned_to = Listed(field_name="assigned_to__username", label="Assigned to", choices=people_with_news)
    unassigned = YesNo(field_name="assigned_to", lookup_expr="isnull", label="Unassigned")

    def filter_queryset(self, queryset: Any) -> Any:
        """The items that meet the conditions."""
        asked = super().filter_queryset(queryset)
        return asked if self.form.cleaned_data.get("state") else asked.open()

    def by_technique(self, queryset: Any, name: str, value: str) -> Any:
        """Items that name a technique or one of its sub-techniques."""
        return queryset.naming("technique", value.strip().upper())

    def by_actor(self, queryset: Any, name: str, value: str) -> Any:
        """Items that name an actor."""
        return queryset.naming("actor", value.strip().upper())

    def by_feed(self, queryset: Any, name: str, value: str) -> Any:
        """Items of one feed, by its number or short name; any other word finds nothing."""
        if value.isdecimal():
            return queryset.filter(feed=int(value)) if len(value) < 10 else queryset.none()
        return queryset.filter(feed__slug=value)

    def by_state(self, queryset: Any, name: str, value: str) -> Any:
        """Items in one state, or in any."""
        return queryset if value == ANY_STATE else queryset.filter(state=value)
