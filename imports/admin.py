"""Data sources and their runs in the Django admin. Whether a source is imported is ours to say; the rest is what happened."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from aegis.lib.admin import Admin, ReadOnlyAdmin
from imports.feeds.forms import FeedForm
from imports.feeds.managing import FIELDS
from imports.models import DataSource, ImportChange, ImportIssue, ImportRun, Worker
from intel.models import Feed, FeedScan

OURS = ("enabled",)


@admin.register(DataSource)
class DataSourceAdmin(Admin):
    """Sources come from the code, one for each importer: none is added or deleted here."""

    actions = None
    list_display = ("label", "slug", "enabled", "last_sync_status", "last_sync_at", "current_version", "is_sample")
    list_filter = ("enabled", "last_sync_status", "is_sample")
    search_fields = ("label", "slug")
    ordering = ("position", "slug")
    fieldsets = (
        (None, {"fields": ("label", "slug", "license", "homepage", "enabled")}),
        (
            "Last sync",
            {"fields": ("last_sync_at", "last_sync_status", "last_sync_stats", "current_version", "is_sample")},
        ),
        ("What it read", {"fields": ("digest", "importer", "validators")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Everything but what is ours."""
        return tuple(field.name for field in DataSource._meta.fields if field.name not in OURS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    list_display = (
        "pk",
        "source",
        "status",
        "dry_run",
        "created_at",
        "created",
        "updated",
        "withdrawn",
        "issue_count",
    )
    list_filter = ("status", "dry_run", "source", "trigger")
    list_select_related = ("source",)
    search_fields = ("source__slug", "source__label", "version", "origin", "error")
    ordering = ("-pk",)


@admin.register(ImportChange)
class ImportChangeAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "model", "key", "run_id")
    list_filter = ("kind", "model")
    search_fields = ("key", "name", "path")
    ordering = ("-pk",)


@admin.register(ImportIssue)
class ImportIssueAdmin(ReadOnlyAdmin):
    list_display = ("path", "line", "message", "run__source", "run_id")
    list_filter = ("run__source",)
    list_select_related = ("run__source",)
    search_fields = ("path", "message")
    ordering = ("-pk",)


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("name", "heard_at")
    search_fields = ("name",)
    ordering = ("-heard_at",)


@admin.register(Feed)
class FeedAdmin(Admin):
    """Feeds are archived, not deleted: their items stay."""

    form = FeedForm
    actions = None
    list_display = ("name", "url", "kind", "enabled", "last_ok_at", "failures", "archived_at")
    list_filter = ("enabled", "kind", "is_sample", ("archived_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "url", "slug", "last_error")
    ordering = ("name", "pk")
    fieldsets = (
        (None, {"fields": FIELDS}),
        ("Last scan", {"fields": ("last_tried_at", "last_ok_at", "failures", "last_error", "due_at", "is_sample")}),
    )
    readonly_fields = ("last_tried_at", "last_ok_at", "failures", "last_error", "due_at", "is_sample")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(FeedScan)
class FeedScanAdmin(ReadOnlyAdmin):
    list_display = ("pk", "status", "trigger", "created_at", "created", "updated", "flagged", "held_back")
    list_filter = ("status", "trigger")
    list_select_related = ("requested_by", "feed")
    search_fields = ("error", "trigger")
    ordering = ("-pk",)
