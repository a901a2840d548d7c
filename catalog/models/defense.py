"""MITRE D3FEND: defensive techniques and the ATT&CK techniques they counter."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from catalog.models.attack import Technique
from catalog.models.base import Sourced, SourcedQuerySet, TechniqueReference
from catalog.models.numbers import distinct_number


class DefensiveTechniqueQuerySet(SourcedQuerySet):
    """What an analyst asks about defences."""

    def search(self, text: str) -> Self:
        """Defences whose id, name or definition holds `text`."""
        return self.filter(Q(d3fend_id__icontains=text) | Q(name__icontains=text) | Q(description__icontains=text))

    def with_countered(self) -> Self:
        """Defences with `countered`, the number of techniques of the current release that each counters."""
        return self.annotate(
            countered=distinct_number(DefensiveTechniqueMapping.objects.all(), "defensive_technique", "technique")
        )


class DefensiveTechnique(Sourced):
    """A D3FEND technique (D3-PSA). `tactic` is one of D3FEND's seven, `tactic_position` their order."""

    d3fend_id = models.CharField(max_length=32, unique=True)
    iri = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    tactic = models.CharField(max_length=32, blank=True, db_index=True)
    tactic_position = models.SmallIntegerField(default=0)
    parent = models.ForeignKey(
        "self",
        models.DO_NOTHING,
        to_field="d3fend_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="children",
    )
    synonyms = models.JSONField(default=list, blank=True)
    url = models.CharField(max_length=512, blank=True)
    techniques = models.ManyToManyField(
        Technique, through="DefensiveTechniqueMapping", related_name="defensive_techniques"
    )

    objects = DefensiveTechniqueQuerySet.as_manager()

    class Meta:
        ordering = ["tactic_position", "name"]

    def __str__(self) -> str:
        return f"{self.d3fend_id} {self.name}"

    def get_absolute_url(self) -> str:
        return reverse("catalog:defence-detail", args=[self.d3fend_id])


class DefensiveTechniqueMapping(TechniqueReference):
    """A technique that a defence counters, and why.

    `paths` is a list of {defense_relation, defense_artifact, attack_relation, attack_artifact}.
    """

    OWNER = "defensive_technique"

    defensive_technique = models.ForeignKey(DefensiveTechnique, models.CASCADE, related_name="mappings")
    paths = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["defensive_technique", "published_id"], name="unique_defensive_mapping")
        ]

    def __str__(self) -> str:
        return f"{self.defensive_technique_id} counters {self.published_id}"
