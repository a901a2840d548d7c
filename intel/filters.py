"""Filters of threat actors, for pages and API alike."""

from typing import Any

from aegis.lib.filters import Listed, Search, Text, distinct_items, distinct_values, within
from catalog.filters import AttackObjectFilter, names_technique
from intel.models import ThreatActor


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

    def by_technique(self, queryset: Any, name: str, value: str) -> Any:
        """Actors that use a technique, themselves or through a campaign."""
        return within(queryset, ThreatActor.objects.filter(names_technique("uses", value, subtechniques=False)))

    def by_sector(self, queryset: Any, name: str, value: str) -> Any:
        """Actors that are said to target a sector."""
        return queryset.targeting(value)
