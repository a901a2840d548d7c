"""Feeds, how they fare, and what every scan of them did."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from aegis.audit.watch import watch
from aegis.lib.door_keys import without_secrets
from aegis.lib.written import one_line


class FeedQuerySet(models.QuerySet["Feed"]):
    """What a scan asks."""

    def kept(self) -> Self:
        """Feeds that are not archived."""
        return self.filter(archived_at=None)

    def due(self, now: datetime) -> Self:
        """Feeds to scan by themselves: enabled, and their time has come."""
        return self.kept().filter(Q(due_at=None) | Q(due_at__lte=now), enabled=True)


class Feed(models.Model):
    """One RSS or Atom feed, or the NVD, and how its scans fare.

    `slug` is only there for feeds that Aegis brings along. `validators` are {address: ETag or Last-Modified} of the last scan
    that read it; of the NVD, until when it was asked what became of older CVEs. `failures` counts those in a row; after each
    the next scan by itself waits twice as long.
    """

    class Kind(models.TextChoices):
        RSS = "rss", "RSS or Atom"
        NVD = "nvd", "NVD (JSON API 2.0)"

    slug = models.SlugField(max_length=64, blank=True, editable=False)
    name = models.CharField(max_length=120, validators=[one_line])
    url = models.CharField(max_length=500, unique=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.RSS)
    enabled = models.BooleanField(default=True)
    every_hours = models.PositiveIntegerField(default=168, help_text="Hours between two scans of it.")
    fetch_pages = models.BooleanField(
        default=False, help_text="Fetch the page of each new article too, where its robots.txt allows it."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_sample = models.BooleanField(default=False, editable=False)
    validators = models.JSONField(default=dict, blank=True, editable=False)
    last_tried_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_ok_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    due_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = FeedQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["slug"], condition=~Q(slug=""), name="unique_feed_slug"),
            models.CheckConstraint(condition=Q(every_hours__gte=1), name="feed_every_hours"),
        ]

    def __str__(self) -> str:
        return self.name

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("imports:feed-detail", args=[self.pk])

    @property
    def state(self) -> str:
        """The state as a badge."""
        if self.archived_at:
            return "archived"
        if not self.enabled:
            return "disabled"
        if self.last_tried_at is None:
            return "never"
        return "failed" if self.failures else "healthy"

    def note_success(self, validators: dict[str, str], now: datetime) -> None:
        """Remember that it was read."""
        self.validators, self.failures, self.last_error = validators, 0, ""
        self.last_tried_at = self.last_ok_at = now
        self.due_at = now + timedelta(hours=self.every_hours)
        self._save_health()

    @property
    def shown_url(self) -> str:
        """The address for everybody: only admins see a token in it."""
        return without_secrets(self.url)

    def note_failure(self, reason: str, now: datetime) -> None:
        """Remember why it could not be read; the next scan by itself waits longer each time, a week at the most."""
        self.failures, self.last_tried_at = self.failures + 1, now
        self.due_at = now + min(timedelta(hours=2 ** min(self.failures - 1, 8)), timedelta(days=7))
        again = f" It is tried again after {self.due_at:%Y-%m-%d %H:%M} UTC." if self.enabled else ""
        self.last_error = reason[:1900] + again
        self._save_health()

    def _save_health(self) -> None:
        self.save(update_fields=["validators", "failures", "last_error", "last_tried_at", "last_ok_at", "due_at"])


watch(
    Feed,
    "feed",
    {
        "name": "edited",
        "url": "edited",
        "kind": "edited",
        "every_hours": "edited",
        "fetch_pages": "edited",
        "enabled": lambda feed: "enabled" if feed.enabled else "disabled",
        "archived_at": lambda feed: "archived" if feed.archived_at else "restored",
    },
)


class FeedScan(models.Model):
    """One scan. `results` has {feed, name, status, found, created, updated, unchanged, quiet, seconds, message} for each feed.

    `flagged` techniques ask for a review since, `held_back` did not, because a scan flags so many at the most.
    `reread` items name something else since the catalogue has other names. `rung_at` is when workers were last told of it.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        ABANDONED = "abandoned", "Abandoned"

    ACTIVE = (Status.QUEUED, Status.RUNNING)

    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    is_active = models.BooleanField(default=True, editable=False)
    trigger = models.CharField(max_length=16, default="command")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="feed_scans"
    )
    feed = models.ForeignKey(Feed, models.CASCADE, null=True, blank=True, related_name="scans")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=255, blank=True)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    flagged = models.PositiveIntegerField(default=0)
    held_back = models.PositiveIntegerField(default=0)
    reread = models.PositiveIntegerField(default=0)
    rung_at = models.DateTimeField(null=True, blank=True, editable=False)
    results = models.JSONField(default=list, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["is_active"], condition=Q(is_active=True), name="one_active_feed_scan")
        ]

    def __str__(self) -> str:
        return f"feed scan {self.pk} {self.status}"

    def get_absolute_url(self) -> str:
        return reverse("imports:scan-detail", args=[self.pk])

    @property
    def seconds(self) -> float | None:
        """How long it took, None while it has not ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return round((self.finished_at - self.started_at).total_seconds(), 3)

    @property
    def failed_feeds(self) -> int:
        """How many feeds could not be read."""
        return sum(result["status"] == "failed" for result in self.results)

    @property
    def is_silent(self) -> bool:
        """Whether it was asked for so long ago that its process must have ended."""
        return timezone.now() - (self.started_at or self.created_at) > timedelta(minutes=10)
