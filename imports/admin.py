"""Data sources, their runs and the schedule in the Django admin: when a source is synced is ours to say; the rest happened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, cast

import django_celery_beat.admin  # noqa: F401  (its pages must be there before they are taken back below)
from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from aegis.accounts.models import User
from aegis.lib.admin import Admin, ReadOnlyAdmin
from imports.decisions import discard, request_apply, request_undo
from imports.feeds.forms import FeedForm
from imports.feeds.managing import FIELDS, add_feed, archive_feed, edit_feed, restore_feed
from imports.feeds.scan import ScanRunning, queue_scan
from imports.life import cancel_run
from imports.models import DataSource, ImportChange, ImportIssue, ImportRun, Worker
from imports.queueing import SourceDisabled, queue_import
from imports.schedule import LONGEST_SCHEDULE, change_source
from imports.services import COUNTS, AlreadyRunning, UnknownSource
from imports.snapshots import is_kept
from imports.source_state import hours_of
from imports.standing import NotPossible
from intel.models import Feed, FeedScan

OURS = ("enabled", "schedule_hours")
TIMES = ("created_at", "started_at", "heartbeat_at", "finished_at", "cancel_requested")


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
    """Runs are never edited: what can be decided about one is an action."""

    actions = ("apply", "discard", "undo", "cancel")
    list_display = (
        "pk",
        "source",
        "status",
        "decision",
        "dry_run",
        "progress",
        "created_at",
        "created",
        "updated",
        "withdrawn",
        "issue_count",
    )
    list_filter = ("status", "decision", "dry_run", "source", "trigger")
    list_select_related = ("source", "requested_by", "decided_by")
    search_fields = ("source__slug", "source__label", "version", "origin", "error", "request_id")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("source", "status", "dry_run", "progress", "error")}),
        ("Decision", {"fields": ("why_held", "decision", "decided_by", "decided_at", "applies", "undoes")}),
        ("What it read", {"fields": ("origin", "version", "digest", "snapshot", "given", "importer")}),
        ("Counts", {"fields": (*COUNTS, "skipped", "unresolved", "issue_count", "kinds", "effects")}),
        ("Who and when", {"fields": ("trigger", "requested_by", "request_id", "worker", *TIMES)}),
    )

    @admin.display(description="progress")
    def progress(self, run: ImportRun) -> str:
        """What an active run is at."""
        if not run.is_active:
            return ""
        return f"{run.step_words}, {run.done:,} of {run.total:,}" if run.total else run.step_words

    @admin.display(description="why it is held")
    def why_held(self, run: ImportRun) -> str:
        """The reasons in words."""
        return " ".join(reason["text"] for reason in run.reasons)

    @admin.display(description="snapshot is kept", boolean=True)
    def snapshot(self, run: ImportRun) -> bool:
        """Whether what was read can be read again."""
        return is_kept(run.source.slug, run.digest)

    @admin.action(description="Apply what a preview or a held run showed")
    def apply(self, request: HttpRequest, queryset: QuerySet[ImportRun]) -> None:
        """Queue a run that applies each of the chosen ones."""
        self._decide(request, queryset, partial(request_apply, trigger="button"))

    @admin.action(description="Discard what a preview or a held run showed")
    def discard(self, request: HttpRequest, queryset: QuerySet[ImportRun]) -> None:
        """Settle the chosen runs without applying them."""
        self._decide(request, queryset, discard)

    @admin.action(description="Undo: bring back what stood before")
    def undo(self, request: HttpRequest, queryset: QuerySet[ImportRun]) -> None:
        """Queue a run that takes back each of the chosen ones."""
        self._decide(request, queryset, partial(request_undo, trigger="button"))

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[ImportRun]) -> None:
        """Ask the chosen runs to end."""
        for run in queryset:
            if cancel_run(run):
                messages.info(request, f"Run {run.pk} is asked to end. Nothing of it is stored.")
            else:
                messages.warning(request, f"Run {run.pk} had ended already.")

    def _decide(self, request: HttpRequest, queryset: QuerySet[ImportRun], decide: Callable[..., ImportRun]) -> None:
        for run in queryset.select_related("source", "requested_by", "decided_by"):
            try:
                decided = decide(run, by=cast(User, request.user))
                state = decided.decision or decided.status
                messages.info(request, f"Run {run.pk} of {run.source}: run {decided.pk} is {state}.")
            except (NotPossible, AlreadyRunning) as error:
                messages.warning(request, f"Run {run.pk}: {error}")


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
    actions = ("scan", "enable", "disable", "archive", "bring_back")
    list_display = ("name", "url", "kind", "enabled", "last_ok_at", "failures", "archived_at")
    list_filter = ("enabled", "kind", "is_sample", ("archived_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "url", "slug", "last_error")
    ordering = ("name", "pk")
    fieldsets = (
        (None, {"fields": FIELDS}),
        ("Last scan", {"fields": ("last_tried_at", "last_ok_at", "failures", "last_error", "due_at", "is_sample")}),
    )
    readonly_fields = ("last_tried_at", "last_ok_at", "failures", "last_error", "due_at", "is_sample")

    def save_model(self, request: HttpRequest, obj: Feed, form: Any, change: bool) -> None:
        """Write as the page and the API do: a new address begins with a clean record."""
        written = {name: form.cleaned_data[name] for name in (form.changed_data if change else FIELDS)}
        feed = edit_feed(Feed.objects.get(pk=obj.pk), written) if change else add_feed(written)
        obj.pk = feed.pk

    @admin.action(description="Scan now (one feed)")
    def scan(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        """Queue a scan of the chosen feed."""
        if len(queryset) != 1:
            messages.warning(request, "Choose one feed. All of them are scanned from the page of feeds.")
            return
        try:
            scan = queue_scan(by=cast(User, request.user), trigger="admin", feed=queryset[0])
        except ScanRunning as error:
            messages.warning(request, str(error))
        else:
            messages.info(request, f"{queryset[0]}: scan {scan.pk} is queued.")

    @admin.action(description="Enable")
    def enable(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        """Let the chosen feeds be scanned."""
        self._each(request, queryset.kept(), "enabled", lambda feed: edit_feed(feed, {"enabled": True}))  # type: ignore[attr-defined]

    @admin.action(description="Disable")
    def disable(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        """Scan the chosen feeds no more by themselves."""
        self._each(request, queryset, "disabled", lambda feed: edit_feed(feed, {"enabled": False}))

    @admin.action(description="Archive: scanned no more, its items stay")
    def archive(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        """Archive the chosen feeds."""
        self._each(request, queryset, "archived", archive_feed)

    @admin.action(description="Bring back from the archive")
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        """Take the chosen feeds out of the archive."""
        self._each(request, queryset.exclude(archived_at=None), "back", restore_feed)

    def _each(self, request: HttpRequest, feeds: QuerySet[Feed], word: str, change: Callable[[Feed], Feed]) -> None:
        done = [change(feed) for feed in feeds]
        messages.info(request, f"Feeds that are {word}: {len(done)}.")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


@admin.register(FeedScan)
class FeedScanAdmin(ReadOnlyAdmin):
    list_display = ("pk", "status", "trigger", "created_at", "created", "updated", "reread", "flagged", "held_back")
    list_filter = ("status", "trigger")
    list_select_related = ("requested_by", "feed")
    search_fields = ("error", "trigger")
    ordering = ("-pk",)


# Beat's own pages can start any task with any arguments, and change the schedule past what is recorded: here they are looked
# at. When a source is synced is changed on its page; the other jobs stand in the settings.
for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class JobAdmin(ReadOnlyAdmin):
    """What beat starts."""

    list_display = ("name", "task", "enabled", "scheduler", "last_run_at", "total_run_count")
    list_filter = ("enabled", "task")
    list_select_related = ("interval", "crontab", "solar", "clocked")
    search_fields = ("name", "task")
    ordering = ("name",)


@admin.register(IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Times that jobs share."""
