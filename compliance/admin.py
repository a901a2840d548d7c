"""Frameworks and controls in the Django admin: to look at, and to switch frameworks on and off."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from catalog.admin import ImportedAdmin, ReferenceAdmin, StillPublished
from compliance.models import ComplianceControl, ComplianceControlMapping, ComplianceFramework
from compliance.switching import switch


@admin.register(ComplianceFramework)
class ComplianceFrameworkAdmin(ImportedAdmin):
    """Imported facts, and whether we show them: that is switched by actions."""

    actions: Any = ("switch_on", "switch_off")
    list_display = ("slug", "name", "version", "attack_version", "switched_on", "withdrawn_at")
    list_filter = (StillPublished, "switched_on")
    search_fields = ("slug", "name")
    ordering = ("slug",)

    @admin.action(description="Switch on")
    def switch_on(self, request: HttpRequest, queryset: QuerySet[ComplianceFramework]) -> None:
        """Show and count the chosen frameworks."""
        self._switch(request, queryset, on=True)

    @admin.action(description="Switch off")
    def switch_off(self, request: HttpRequest, queryset: QuerySet[ComplianceFramework]) -> None:
        """Neither show nor count the chosen frameworks."""
        self._switch(request, queryset, on=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[ComplianceFramework], *, on: bool) -> None:
        for framework in queryset:
            switch(framework, on=on)
        messages.info(request, f"{len(queryset)} frameworks are switched {'on' if on else 'off'}.")


@admin.register(ComplianceControl)
class ComplianceControlAdmin(ImportedAdmin):
    list_display = ("control_id", "title", "framework_id", "category", "withdrawn", "withdrawn_at")
    list_display_links = ("control_id", "title")
    list_filter = (StillPublished, "framework", "withdrawn", "category")
    search_fields = ("control_id", "title")
    ordering = ("framework", "sort_key")


@admin.register(ComplianceControlMapping)
class ComplianceControlMappingAdmin(ReferenceAdmin):
    list_filter = ("resolution", "mapping_type", "score_category", "attack_version", "is_current")
    search_fields = ("published_id", "technique__mitre_id", "control__control_id")
