"""Evidence: a file that one side attached to a test. Live malware is normal here: a file is data, never shown or run."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from coverage.models.test import Test
from coverage.testing.texts import SHORT


class Evidence(models.Model):
    """One stored file. `key` is where the storage keeps it; `original_name` and `content_type` are the uploader's words, kept
    as data. The row exists only when the object is safely stored; `sha256` was computed from the bytes that went there.
    """

    class Side(models.TextChoices):
        RED = "red", "Red"
        BLUE = "blue", "Blue"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    test = models.ForeignKey(Test, models.PROTECT, related_name="evidence")
    side = models.CharField(max_length=8, choices=Side)
    caption = models.CharField(max_length=255, blank=True, validators=SHORT)
    original_name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=128, blank=True)
    key = models.CharField(max_length=255, unique=True, editable=False)
    size = models.PositiveBigIntegerField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False, db_index=True)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="evidence", editable=False)
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["uploaded_at", "pk"]
        verbose_name_plural = "evidence"
        indexes = [models.Index(fields=["uploaded_by", "uploaded_at"], name="evidence_of_a_person_of_late")]
        constraints = [models.CheckConstraint(condition=Q(side__in=("red", "blue")), name="evidence_side_is_known")]

    def __str__(self) -> str:
        return self.original_name

    def get_absolute_url(self) -> str:
        return f"{reverse('coverage:test-detail', args=[self.test_id])}#files-{self.side}"

    @property
    def download_url(self) -> str:
        """The file."""
        return reverse("coverage:evidence-download", args=[self.pk])
