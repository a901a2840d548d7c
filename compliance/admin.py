"""Frameworks and controls in the Django admin: to look at."""

from django.contrib import admin

from catalog.admin import ImportedAdmin, ReferenceAdmin, StillPublished
from compliance.models import ComplianceControl, ComplianceControlMapping, ComplianceFramework


@admin.register(ComplianceFramework)
class ComplianceFrameworkAdmin(ImportedAdmin):
    list_display = ("slug", "name", "version", "attack_version", "withdrawn_at")
    search_fields = ("slug", "name")
    ordering = ("slug",)


@admin.register(ComplianceControl)
class ComplianceControlAdmin(ImportedAdmin):
    list_display = ("control_id", "title", "framework_id", "category", "withdrawn", "withdrawn_at")
    list_display_links = ("control_id", "title")
    list_filter = (StillPublished, "framework", "withdrawn", "category")
    search_fields = ("control_id", "title")
    ordering = ("framework", "sort_key")


@admin.register(ComplianceControlMapping)
class ComplianceControlMappingAdmin(ReferenceAdmin):
    list_filter = ("resolution", "mapping_type", "attack_version", "is_current")
    search_fields = ("published_id", "technique__mitre_id", "control__control_id")
