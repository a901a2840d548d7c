"""What people keep for the matrix: layers that they uploaded, and views of it that they saved."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from aegis.accounts.models import User
from catalog.models import Resolution
from coverage.testing.texts import LONG, SHORT


class LayerQuerySet(models.QuerySet["Layer"]):
    """What a visitor asks about layers."""

    def visible_to(self, user: User) -> Self:
        """The layers that `user` uploaded, and those that are shared."""
        return self.filter(Q(is_shared=True) | Q(uploaded_by=user))


class Layer(models.Model):
    """An uploaded Navigator layer. An overlay says something of techniques; a profile is what a threat is expected to do."""

    class Purpose(models.TextChoices):
        OVERLAY = "overlay", "Overlay"
        PROFILE = "profile", "Threat profile"

    name = models.CharField(max_length=255, validators=SHORT)
    description = models.TextField(blank=True, validators=LONG)
    purpose = models.CharField(max_length=16, choices=Purpose, default=Purpose.OVERLAY)
    is_shared = models.BooleanField(default=False)
    layer_version = models.CharField(max_length=16, editable=False)
    attack_version = models.CharField(max_length=32, blank=True, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="layers", editable=False)
    uploaded_at = models.DateTimeField(auto_now_add=True)

    objects = LayerQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("coverage:layer-detail", args=[self.pk])


class LayerTechnique(models.Model):
    """What a layer says of one technique, by the id that it used, and the technique that this means now, if any."""

    layer = models.ForeignKey(Layer, models.CASCADE, related_name="techniques")
    published_id = models.CharField(max_length=64)
    technique = models.ForeignKey(
        "catalog.Technique", models.PROTECT, to_field="mitre_id", null=True, related_name="layer_marks"
    )
    resolution = models.CharField(max_length=16, choices=Resolution, default=Resolution.UNRESOLVED)
    score = models.FloatField(null=True)
    comment = models.CharField(max_length=500, blank=True)
    marks = models.BooleanField(default=True)

    class Meta:
        ordering = ["published_id"]
        constraints = [models.UniqueConstraint(fields=["layer", "published_id"], name="unique_layer_technique")]

    def __str__(self) -> str:
        return self.published_id


class SavedView(models.Model):
    """An address of the matrix that a user keeps under a name; nobody else sees it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="matrix_views")
    name = models.CharField(max_length=100, validators=SHORT)
    query = models.CharField(max_length=4000, blank=True, validators=SHORT)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="unique_saved_view")]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        """The view."""
        return f"{reverse('coverage:matrix')}?{self.query}"
