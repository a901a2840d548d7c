"""Whose work it is to close the gap of a technique."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from aegis.accounts.models import User
from catalog.models import Technique
from coverage.gaps.owner import Owner
from coverage.testing.texts import SHORT, plausible

LONGEST_NOTE = 500


class GapAssignmentQuerySet(models.QuerySet["GapAssignment"]):
    """What is asked about owners."""

    def standing(self) -> Self:
        """Those that nobody has taken back: at most one for each technique."""
        return self.filter(ended_at=None)

    def work_of(self, user: User) -> Self:
        """What `user` owns of the techniques that are gaps now: active, and not proven."""
        active = Technique.objects.active().order_by().values("mitre_id")
        return self.standing().filter(owner=user, technique__in=active).exclude(technique__coverage__proven=True)


class GapAssignment(models.Model):
    """The gap of a technique in the hands of `owner`, from `assigned_at` until `ended_at`, which is None while it stands.

    It stands until somebody takes it back or gives the gap to another. It is work while the technique is a gap, and stays when
    a test proves the technique: should the proof be lost, it is the same person's work again.
    """

    technique = models.ForeignKey(
        "catalog.Technique", models.PROTECT, to_field="mitre_id", related_name="gap_assignments", editable=False
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="gap_assignments", editable=False)
    due_on = models.DateField(null=True, blank=True, validators=[plausible])
    note = models.CharField(max_length=LONGEST_NOTE, blank=True, validators=SHORT)
    assigned_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    assigned_at = models.DateTimeField(auto_now_add=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    objects = GapAssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["technique"], condition=Q(ended_at=None), name="one_owner_of_a_gap")
        ]

    def __str__(self) -> str:
        return f"{self.technique_id}: {self.owner_id}"

    @property
    def shown(self) -> Owner:
        """As pages tell it."""
        return Owner(self.owner.username, self.owner.is_active, self.due_on, self.note)

    @property
    def facts(self) -> dict[str, Any]:
        """As the audit trail tells it."""
        return {"owner": self.owner.username, "due_on": self.due_on, "note": self.note}
