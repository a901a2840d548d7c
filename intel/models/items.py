"""Articles of feeds, what they name, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

if TYPE_CHECKING:
    from aegis.accounts.models import User


class IntelItemQuerySet(models.QuerySet["IntelItem"]):
    """What an analyst asks about the news."""

    def open(self) -> Self:
        """Items that nobody has decided on."""
        return self.filter(state=IntelItem.State.NEW)

    def naming(self, kind: str, key: str) -> Self:
        """Items that name this technique, actor, software or CVE with confidence; a technique's sub-techniques count."""
        return self.filter(Exists(Mention.objects.confidently(kind, key).filter(item=OuterRef("pk"))))

    def search(self, text: str) -> Self:
        """Items whose title or text holds `text`, or that name it."""
        named = Exists(Mention.objects.filter(Q(key__iexact=text) | Q(text__iexact=text), item=OuterRef("pk")))
        return self.filter(Q(title__icontains=text) | Q(summary__icontains=text) | named)

    def assigned_to_user(self, user: User) -> Self:
        """Open items that somebody gave to `user`."""
        return self.open().filter(assigned_to=user)


class IntelItem(models.Model):
    """One article. `key` is its address without what varies, `guid` its feed's own name for it: either finds it again.

    `published_at` is what the feed tells where that can be; `at` is that, or else when it was first seen, and never
    later. `body` is the text of its page, where the feed's pages are fetched. `read_with` stands for the names that were
    looked for in it (`intel.vocabulary.mark`).
    """

    class State(models.TextChoices):
        NEW = "new", "New"
        ACCEPTED = "accepted", "Accepted"
        DISMISSED = "dismissed", "Dismissed"

    feed = models.ForeignKey("intel.Feed", models.PROTECT, related_name="items")
    guid = models.CharField(max_length=500, blank=True, editable=False)
    key = models.CharField(max_length=1000, blank=True, editable=False)
    url = models.CharField(max_length=1000, blank=True, editable=False)
    title = models.CharField(max_length=500)
    summary = models.TextField(blank=True)
    body = models.TextField(blank=True)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    revised_at = models.DateTimeField(null=True, blank=True, editable=False)
    at = models.DateTimeField(db_index=True, editable=False)
    first_seen_at = models.DateTimeField(editable=False)
    changed_at = models.DateTimeField(editable=False)
    content_hash = models.CharField(max_length=64, editable=False)
    read_with = models.CharField(max_length=16, blank=True, editable=False)
    state = models.CharField(max_length=16, choices=State, default=State.NEW, db_index=True)
    note = models.TextField(blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="intel_items"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = IntelItemQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=~Q(key=""), name="unique_intel_item_key"),
            models.UniqueConstraint(fields=["feed", "guid"], condition=~Q(guid=""), name="unique_intel_item_guid"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("coverage:intel-item", args=[self.pk])

    @property
    def text(self) -> str:
        """Everything that is searched for mentions; their places count in it."""
        return "\n\n".join(part for part in (self.title, self.summary, self.body) if part)


class MentionQuerySet(models.QuerySet["Mention"]):
    """What is asked about mentions."""

    def confidently(self, kind: str, key: str) -> Self:
        """Mentions that count, of this technique, actor, software or CVE; a technique's sub-techniques are meant too."""
        named = Q(key=key) | Q(key__startswith=f"{key}.") if kind == "technique" else Q(key=key)
        return self.filter(named, kind=kind, confident=True)


class Mention(models.Model):
    """One place in an item's text that names something. `start` and `end` count characters of `IntelItem.text`.

    `key` is the ATT&CK id, or the CVE id. `text` is what stands there, which may be an older id. `confident` says
    that it counts: `reason` says why, or why not.
    """

    class Kind(models.TextChoices):
        TECHNIQUE = "technique", "Technique"
        ACTOR = "actor", "Actor"
        SOFTWARE = "software", "Software"
        CVE = "cve", "CVE"

    item = models.ForeignKey(IntelItem, models.CASCADE, related_name="mentions")
    kind = models.CharField(max_length=16, choices=Kind)
    key = models.CharField(max_length=32)
    text = models.CharField(max_length=500)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    sentence = models.TextField(blank=True)
    confidence = models.FloatField()
    reason = models.CharField(max_length=500, blank=True)
    confident = models.BooleanField()

    objects = MentionQuerySet.as_manager()

    class Meta:
        ordering = ["item", "start"]
        indexes = [models.Index(fields=["kind", "key"], name="intel_mention_key")]

    def __str__(self) -> str:
        return f"{self.text} ({self.key})"


class IntelFlag(models.Model):
    """That an item had a technique flagged for review: once, whatever became of the flag. `technique` is its ATT&CK id."""

    item = models.ForeignKey(IntelItem, models.CASCADE, related_name="flags")
    technique = models.CharField(max_length=32, db_index=True)
    at = models.DateTimeField()
    by_hand = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "technique"], name="unique_intel_flag")]

    def __str__(self) -> str:
        return f"{self.technique} by {self.item_id}"
