"""Our own work in the Django admin: to look at. It is changed on its pages and by the API, with their rules and traces.

Views that somebody keeps for themselves, and layers, which may be private, are not here.
"""

from django.contrib import admin

from aegis.lib.admin import ReadOnlyAdmin
from coverage.models import (
    Campaign,
    CoverageSnapshot,
    Evidence,
    GapAssignment,
    TechniqueCoverage,
    Test,
    TestInvolvement,
    TestOutcome,
)


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    list_display = ("name", "actor", "starts_on", "ends_on", "created_by", "archived_at")
    list_filter = (("archived_at", admin.EmptyFieldListFilter), ("retest_of", admin.EmptyFieldListFilter))
    list_select_related = ("actor", "created_by")
    search_fields = ("name", "goal")
    ordering = ("-pk",)


@admin.register(Test)
class TestAdmin(ReadOnlyAdmin):
    list_display = ("name", "technique_id", "state", "outcome", "created_by", "decided_by", "updated_at")
    list_filter = ("state", "outcome", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("created_by", "decided_by")
    search_fields = ("name", "technique__mitre_id", "target")
    ordering = ("-pk",)


@admin.register(TestOutcome)
class TestOutcomeAdmin(ReadOnlyAdmin):
    list_display = ("kind", "seen", "tool", "at", "test", "entered_by", "entered_at")
    list_filter = ("kind", "seen")
    list_select_related = ("test", "entered_by")
    search_fields = ("tool", "test__name", "test__technique__mitre_id")
    ordering = ("-pk",)


@admin.register(TestInvolvement)
class TestInvolvementAdmin(ReadOnlyAdmin):
    list_display = ("user", "kind", "test", "at")
    list_filter = ("kind",)
    list_select_related = ("test", "user")
    search_fields = ("user__username", "test__name", "test__technique__mitre_id")
    ordering = ("-pk",)


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    """What is known of the files. The files themselves leave Aegis by its pages alone, which note each download."""

    list_display = ("original_name", "side", "size", "sha256", "test", "uploaded_by", "uploaded_at")
    list_filter = ("side",)
    list_select_related = ("test", "uploaded_by")
    search_fields = ("original_name", "caption", "sha256", "test__technique__mitre_id")
    ordering = ("-uploaded_at", "pk")
    view_on_site = False


@admin.register(GapAssignment)
class GapAssignmentAdmin(ReadOnlyAdmin):
    list_display = ("technique_id", "owner", "due_on", "assigned_by", "assigned_at", "ended_by", "ended_at")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "due_on")
    list_select_related = ("owner", "assigned_by", "ended_by")
    search_fields = ("technique__mitre_id", "owner__username", "note")
    ordering = ("-pk",)


@admin.register(TechniqueCoverage)
class TechniqueCoverageAdmin(ReadOnlyAdmin):
    list_display = ("technique_id", "status", "proven", "proven_gap", "review_required", "last_validated_at")
    list_filter = ("status", "proven", "proven_gap", "review_required")
    search_fields = ("technique__mitre_id", "technique__name")
    ordering = ("technique_id",)


@admin.register(CoverageSnapshot)
class CoverageSnapshotAdmin(ReadOnlyAdmin):
    list_display = ("day", "tactic", "release", "techniques", "claimed", "testable", "validated", "partial")
    list_filter = ("tactic",)
    search_fields = ("tactic", "release")
    ordering = ("-day", "tactic")
