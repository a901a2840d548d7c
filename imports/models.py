"""Data sources, and what every import run did."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from aegis.audit.watch import watch_changes

STEPS: Final = {"fetch": "Fetching", "parse": "Reading files", "store": "Storing", "link": "Linking"}
TRIGGERS: Final = {
    "api": "by the API",
    "button": "by a button",
    "command": "from the command line",
    "schedule": "on schedule",
}


class DataSource(models.Model):
    """One upstream and the state of its last sync. What is fixed about it (URLs, files) is in its `imports.sources` file.

    `validators` (ETag and Last-Modified by URL), `digest` and `importer` belong to the last run that was applied: if all are
    the same again there is nothing to do. `every` is how often it is synced by itself, None for only when somebody asks;
    `counted_from` is when that time began to run, None for a source that was never synced: it is due at once.
    """

    slug = models.SlugField(max_length=64, unique=True)
    label = models.CharField(max_length=255)
    license = models.CharField(max_length=255)
    homepage = models.CharField(max_length=255, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    enabled = models.BooleanField(default=True)
    every = models.DurationField(null=True, blank=True)
    counted_from = models.DateTimeField(null=True, blank=True, editable=False)
    current_version = models.CharField(max_length=128, blank=True, editable=False)
    is_sample = models.BooleanField(default=False, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    importer = models.CharField(max_length=64, blank=True, editable=False)
    validators = models.JSONField(default=dict, blank=True, editable=False)
    last_sync_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_sync_status = models.CharField(max_length=16, blank=True, editable=False)
    last_sync_stats = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.label

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("imports:source-detail", args=[self.slug])

    @property
    def next_sync_at(self) -> datetime | None:
        """When it is synced by itself; in the past if that waits for a worker. None if it never is, or was never synced."""
        if not self.enabled or self.every is None or self.counted_from is None:
            return None
        return self.counted_from + self.every

    @property
    def is_due(self) -> bool:
        """Whether its time has come."""
        if not self.enabled or self.every is None:
            return False
        return self.next_sync_at is None or self.next_sync_at <= timezone.now()


watch_changes(
    DataSource,
    "source",
    {"enabled": lambda source: "enabled" if source.enabled else "disabled", "every": "rescheduled"},
)


class ImportRun(models.Model):
    """One import of one source. Counts are rows of the catalogue; `kinds` has them by model label.

    While it runs, `done` of `total` tells how far its `step` is, and the counts what it has found so far. `worker` is the
    process that carries it out, empty while the run waits for one. `request_id` is the X-Request-ID of the request that
    asked for it, empty for the schedule and commands. `given` is the digest of the kept snapshot that it reads instead of
    asking upstream: one that a bundle brought.

    A preview (`dry_run`) and a held run write nothing to the catalogue: they show what they would do, until somebody decides.
    `reasons` is a list of {code, text}: why the run is held, or would be; the codes in `allowed` were accepted when it was
    asked for. `applies` is the run whose snapshot this one applies, `undoes` the one that it takes back. `effects` is what
    moves in our own work (`imports.signals`), `shown_digest` the SHA-256 of all changes, `importer` that of the code.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        NOT_MODIFIED = "not_modified", "Not modified"
        FAILED = "failed", "Failed"
        ABANDONED = "abandoned", "Abandoned"
        CANCELLED = "cancelled", "Cancelled"
        HELD = "held", "Held"

    class Decision(models.TextChoices):
        APPLIED = "applied", "Applied"
        DISCARDED = "discarded", "Discarded"
        SUPERSEDED = "superseded", "Superseded"

    ACTIVE = (Status.QUEUED, Status.RUNNING)
    GOOD = (Status.SUCCEEDED, Status.NOT_MODIFIED)

    source = models.ForeignKey(DataSource, models.PROTECT, related_name="runs")
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    dry_run = models.BooleanField(default=False)
    trigger = models.CharField(max_length=16, default="command")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="import_runs"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=255, blank=True)
    request_id = models.CharField(max_length=32, blank=True)
    cancel_requested = models.BooleanField(default=False)
    given = models.CharField(max_length=64, blank=True)
    origin = models.CharField(max_length=1024, blank=True)
    version = models.CharField(max_length=128, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    step = models.CharField(max_length=64, blank=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    rows_read = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    withdrawn = models.PositiveIntegerField(default=0)
    restored = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    unresolved = models.PositiveIntegerField(default=0)
    issue_count = models.PositiveIntegerField(default=0)
    kinds = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    importer = models.CharField(max_length=64, blank=True)
    shown_digest = models.CharField(max_length=64, blank=True)
    effects = models.JSONField(default=dict, blank=True)
    allowed = models.JSONField(default=list, blank=True)
    reasons = models.JSONField(default=list, blank=True)
    applies = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="applied_by")
    undoes = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="undone_by")
    decision = models.CharField(max_length=16, choices=Decision, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="import_runs_decided"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(status__in=["queued", "running"]), name="one_active_run_per_source"
            )
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.source}"

    def get_absolute_url(self) -> str:
        return reverse("imports:run-detail", args=[self.pk])

    @property
    def is_shown(self) -> bool:
        """Whether the run ended with showing what it would do: a preview, or one that is held."""
        return self.status == self.Status.HELD or (self.dry_run and self.status == self.Status.SUCCEEDED)

    @property
    def is_open(self) -> bool:
        """Whether it waits for somebody to apply or to discard it."""
        return self.is_shown and not self.decision

    @property
    def is_applied(self) -> bool:
        """Whether it wrote to the catalogue."""
        return self.status == self.Status.SUCCEEDED and not self.dry_run

    @property
    def is_active(self) -> bool:
        """Whether it has not ended."""
        return self.status in self.ACTIVE

    @property
    def is_waiting(self) -> bool:
        """Whether no worker has begun it."""
        return self.status == self.Status.QUEUED and not self.worker

    @property
    def step_words(self) -> str:
        """What it is at, for people."""
        if self.cancel_requested:
            return "Ending"
        if self.is_waiting:
            return "Waiting for a worker"
        return STEPS.get(self.step, "Starting")

    @property
    def trigger_words(self) -> str:
        """What started it, for people."""
        return TRIGGERS.get(self.trigger, self.trigger)

    @property
    def seconds(self) -> float | None:
        """How long the run took, in seconds with three decimals, or None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds(), 3)

    @property
    def known_issues(self) -> models.QuerySet[ImportIssue]:
        """What the run skipped; where it found nothing new to read, what was skipped when that was read."""
        if self.status != self.Status.NOT_MODIFIED:
            return self.issues.all()
        applied = self.source.runs.filter(status=self.Status.SUCCEEDED, dry_run=False, pk__lt=self.pk)
        return ImportIssue.objects.filter(run=applied.order_by("-pk").values("pk")[:1])

    def forget_counts(self) -> None:
        """Take back what it counted on its way: nothing of it was stored."""
        self.created = self.updated = self.unchanged = self.withdrawn = self.restored = 0
        self.skipped = self.unresolved = self.issue_count = 0
        self.kinds = {}

    def statistics(self) -> dict[str, Any]:
        """The counts as the API and the command print them."""
        names = ("created", "updated", "unchanged", "withdrawn", "restored", "skipped", "unresolved")
        return {name: getattr(self, name) for name in names} | {"issues": self.issue_count}


class ImportChangeQuerySet(models.QuerySet["ImportChange"]):
    """What is asked of the history."""

    def search(self, text: str) -> Self:
        """Changes whose key, name or path holds `text`."""
        return self.filter(Q(key__icontains=text) | Q(name__icontains=text) | Q(path__icontains=text))

    def applied(self) -> Self:
        """Changes that were made, and not only shown."""
        return self.filter(run__status=ImportRun.Status.SUCCEEDED, run__dry_run=False)


class ImportChange(models.Model):
    """One row that a run created, updated, withdrew or restored. `changed` is {field: [before, after]}."""

    class Kind(models.TextChoices):
        CREATED = "created", "Created"
        UPDATED = "updated", "Updated"
        WITHDRAWN = "withdrawn", "Withdrawn"
        RESTORED = "restored", "Restored"

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=16, choices=Kind)
    model = models.CharField(max_length=64)
    key = models.CharField(max_length=320)
    name = models.CharField(max_length=512, blank=True)
    path = models.CharField(max_length=512, blank=True)
    changed = models.JSONField(default=dict, blank=True)

    objects = ImportChangeQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["model", "key"], name="import_change_object")]

    def __str__(self) -> str:
        return f"{self.kind} {self.model} {self.key}"


class ImportIssue(models.Model):
    """A file, or a part of one, that a run skipped, and why. `line` counts from 1 where the format has lines."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="issues")
    path = models.CharField(max_length=512, blank=True)
    line = models.PositiveIntegerField(null=True, blank=True)
    message = models.TextField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class Worker(models.Model):
    """A process that carries out tasks, and when it was last heard of."""

    name = models.CharField(max_length=255, unique=True)
    heard_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
