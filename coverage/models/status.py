"""What our tests say about each technique, kept so that the matrix is one query; and whether a lead should look again."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from coverage.techniques.status import Status


class TechniqueCoverageQuerySet(models.QuerySet["TechniqueCoverage"]):
    """What a lead asks about coverage."""

    def due_for_review(self) -> Self:
        """Techniques that somebody should look at again."""
        return self.filter(review_required=True)

    def gaps(self) -> Self:
        """Techniques for which a test has proven that nothing sees them."""
        return self.filter(proven_gap=True)


class TechniqueCoverage(models.Model):
    """The coverage of one technique. A technique without a row is not covered and needs no review.

    The columns of `coverage.techniques.status.Coverage` are written by `coverage.services.status` alone, together with their
    cause. `review_reasons` is a list of {kind: intel|attack|age, text, at}, with a link where one page says more.
    """

    class Reason(models.TextChoices):
        INTEL = "intel", "New intelligence"
        ATTACK = "attack", "Changed in ATT&CK"
        AGE = "age", "Not validated for long"

    technique = models.OneToOneField(
        "catalog.Technique", models.PROTECT, to_field="mitre_id", related_name="coverage", editable=False
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.NOT_COVERED, editable=False, db_index=True)
    proven_gap = models.BooleanField(default=False, editable=False)
    proven = models.BooleanField(default=False, editable=False)
    last_proven_at = models.DateTimeField(null=True, editable=False)
    last_validated_at = models.DateTimeField(null=True, editable=False)
    tests_total = models.PositiveIntegerField(default=0, editable=False)
    tests_validated = models.PositiveIntegerField(default=0, editable=False)
    tests_met = models.PositiveIntegerField(default=0, editable=False)
    tests_attested = models.PositiveIntegerField(default=0, editable=False)
    review_required = models.BooleanField(default=False, editable=False, db_index=True)
    review_reasons = models.JSONField(default=list, editable=False)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="techniques_reviewed"
    )
    reviewed_at = models.DateTimeField(null=True, editable=False)

    objects = TechniqueCoverageQuerySet.as_manager()

    class Meta:
        ordering = ["technique_id"]
        verbose_name_plural = "technique coverage"

    def __str__(self) -> str:
        return f"{self.technique_id} {self.status}"

    @property
    def reasons(self) -> list[dict[str, str]]:
        """{text, link} of each reason for a review; one that came without a link leads to where such news stand."""
        return [
            {"text": reason["text"], "link": reason.get("link") or self._where(reason["kind"])}
            for reason in self.review_reasons
        ]

    def _where(self, kind: str) -> str:
        if kind == self.Reason.AGE:
            return reverse("coverage:test-list", query={"technique": self.technique_id})
        tab = "history" if kind == self.Reason.ATTACK else "intel"
        return reverse("coverage:technique", args=[self.technique_id], query={"tab": tab})
