"""A campaign: a group of tests with a goal, a period and participants."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from aegis.accounts.models import User
from coverage.testing.texts import LONG, SHORT, plausible


class CampaignQuerySet(models.QuerySet["Campaign"]):
    """What a team asks about campaigns."""

    def live(self) -> Self:
        """Campaigns that are not archived."""
        return self.filter(archived_at=None)

    def of(self, user: User) -> Self:
        """Campaigns in which `user` takes part."""
        return self.filter(participants=user)

    def search(self, text: str) -> Self:
        """Campaigns whose name or goal holds `text`."""
        return self.filter(Q(name__icontains=text) | Q(goal__icontains=text))


class Campaign(models.Model):
    """An assessment. `actor` is the one whose techniques it tries, `retest_of` the campaign whose tests it repeats."""

    name = models.CharField(max_length=255, validators=SHORT)
    goal = models.TextField(blank=True, validators=LONG)
    starts_on = models.DateField(null=True, blank=True, validators=[plausible])
    ends_on = models.DateField(null=True, blank=True, validators=[plausible])
    participants = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="campaigns")
    actor = models.ForeignKey(
        "intel.ThreatActor", models.PROTECT, to_field="mitre_id", null=True, blank=True, related_name="campaigns"
    )
    retest_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="retests")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="campaigns_created")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(starts_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="campaign_ends_after_it_starts",
                violation_error_message="The campaign ends before it starts.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("coverage:campaign-detail", args=[self.pk])
