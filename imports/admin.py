"""Data sources, their runs and the schedule in the Django admin: when a source is synced is ours to say; the rest happened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import PeriodicTask

from aegis.accounts.models import User
from aegis.lib.admin import Admin, ReadOnlyAdmin
from imports.feeds.forms import FeedForm
from imports.feeds.managing import FIELDS
from imports.models import DataSource, ImportChange, ImportIssue, ImportRun, Worker
from imports.queueing import SourceDisabled, queue_import
from imports.schedule import LONGEST_SCHEDULE, change_source, read_tasks
from imports.services import AlreadyRunning, UnknownSource
from imports.source_state import hours_of
from intel.models import Feed, FeedScan

OURS = ("enabled", "schedule_hours")


class DataSourceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A source with its schedule in hours."""

    schedule_hours = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LONGEST_SCHEDULE,
        help_text="Hours between two syncs; empty: only by hand.",
    )

    class Meta:
        model = DataSource
        fields = ("enabled",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["schedule_hours"].initial = hours_of(self.instance.every)

    def clean(self) -> dict[str, Any] | None:
        """Give the row the schedule too, so that one save writes both."""
        cleaned = super().clean()
        if "schedule_hours" in self.cleaned_data:
            hours = self.cleaned_data["schedule_hours"]
            self.instance.every = None if hours is None else timedelta(hours=hours)
        return cleaned


@admin.register(DataSource)
class DataSourceAdmin(Admin):
    """Sources come from the code, one for each importer: none is added or deleted here."""

    form = DataSourceForm
    actions = ("sync_now", "preview", "enable", "disable")
    list_display = (
        "label",
        "slug",
        "enabled",
        "every",
        "next_sync_at",
        "last_sync_status",
        "last_sync_at",
        "current_version",
        "is_sample",
    )
    list_filter = ("enabled", "last_sync_status", "is_sample")
    search_fields = ("label", "slug")
    ordering = ("position", "slug")
    fieldsets = (
        (None, {"fields": ("label", "slug", "license", "homepage", "enabled", "schedule_hours", "next_sync_at")}),
        (
            "Last sync",
            {"fields": ("last_sync_at", "last_sync_status", "last_sync_stats", "current_version", "is_sample")},
        ),
        ("What it read", {"fields": ("digest", "importer", "validators")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Everything but what is ours."""
        return ("next_sync_at", *(field.name for field in DataSource._meta.fields if field.name not in OURS))

    @admin.action(description="Sync now")
    def sync_now(self, request: HttpRequest, queryset: QuerySet[DataSource]) -> None:
        """Queue an import of each chosen source."""
        self._queue(request, queryset, dry_run=False)

    @admin.action(description="Preview: show what would change")
    def preview(self, request: HttpRequest, queryset: QuerySet[DataSource]) -> None:
        """Queue a preview of each chosen source."""
        self._queue(request, queryset, dry_run=True)

    @admin.action(description="Enable")
    def enable(self, request: HttpRequest, queryset: QuerySet[DataSource]) -> None:
        """Let the chosen sources be synced."""
        self._change(request, queryset, enabled=True)

    @admin.action(description="Disable")
    def disable(self, request: HttpRequest, queryset: QuerySet[DataSource]) -> None:
        """Keep the chosen sources as they are."""
        self._change(request, queryset, enabled=False)

    def _queue(self, request: HttpRequest, queryset: QuerySet[DataSource], *, dry_run: bool) -> None:
        for source in queryset:
            try:
                run = queue_import(source.slug, by=cast(User, request.user), trigger="button", dry_run=dry_run)
                messages.info(request, f"{source}: run {run.pk} is queued.")
            except (AlreadyRunning, SourceDisabled, UnknownSource) as error:
                messages.warning(request, f"{source}: not started: {error}.")

    def _change(self, request: HttpRequest, queryset: QuerySet[DataSource], *, enabled: bool) -> None:
        for source in queryset:
            change_source(source, enabled=enabled)
        messages.info(request, f"{len(queryset)} sources are {'enabled' if enabled else 'disabled'}.")

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


admin.site.unregister(PeriodicTask)


@admin.register(PeriodicTask)
class JobAdmin(PeriodicTaskAdmin):  # type: ignore[misc]
    """What beat starts. Its actions write in bulk, so that the rows of sources are brought in step afterwards."""

    @admin.action(description="Enable selected tasks")
    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        """Switch tasks on."""
        super().enable_tasks(request, queryset)
        read_tasks()

    @admin.action(description="Disable selected tasks")
    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        """Switch tasks off."""
        super().disable_tasks(request, queryset)
        read_tasks()

    @admin.action(description="Toggle activity of selected tasks")
    def toggle_tasks(self, request: HttpRequest, queryset: QuerySet[PeriodicTask]) -> None:
        """Switch those on that are off, and the other way round."""
        super().toggle_tasks(request, queryset)
        read_tasks()
