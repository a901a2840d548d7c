"""Compliance frameworks, their controls, and the techniques that each control mitigates."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from catalog.models import Technique, TechniqueReference
from catalog.models.base import Sourced, SourcedQuerySet
from catalog.models.numbers import distinct_number


class ComplianceFramework(Sourced):
    """One version of a framework. `attack_version` is the ATT&CK version of its current mappings."""

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    version = models.CharField(max_length=32)
    attack_version = models.CharField(max_length=32, blank=True)

    objects = SourcedQuerySet.as_manager()

    class Meta:
        ordering = ["name", "version"]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class ComplianceControlQuerySet(SourcedQuerySet):
    """What an auditor asks about controls."""

    def in_force(self) -> Self:
        """Controls that are published and that the framework has not withdrawn."""
        return self.current().filter(withdrawn=False)

    def search(self, text: str) -> Self:
        """Controls whose id or title holds `text`."""
        return self.filter(Q(control_id__icontains=text) | Q(title__icontains=text))

    def with_mapped(self) -> Self:
        """Controls with `mapped`, the number of techniques that the current mappings of each name."""
        current = ComplianceControlMapping.objects.filter(is_current=True)
        return self.annotate(mapped=distinct_number(current, "control", "technique"))


class ComplianceControl(Sourced):
    """One control or enhancement. `withdrawn` is the framework's word; `withdrawn_at` says that upstream dropped it.

    `in_catalogue` is False for a control that only a set of mappings names, not the published catalogue.
    """

    framework = models.ForeignKey(
        ComplianceFramework, models.DO_NOTHING, to_field="slug", db_constraint=False, related_name="controls"
    )
    control_id = models.CharField(max_length=32)
    sort_key = models.CharField(max_length=64, db_index=True)
    title = models.CharField(max_length=512)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=255, blank=True, db_index=True)
    parent_control_id = models.CharField(max_length=32, blank=True)
    withdrawn = models.BooleanField(default=False)
    in_catalogue = models.BooleanField(default=True)
    techniques = models.ManyToManyField(Technique, through="ComplianceControlMapping", related_name="controls")

    objects = ComplianceControlQuerySet.as_manager()

    class Meta:
        ordering = ["framework", "sort_key"]
        constraints = [models.UniqueConstraint(fields=["framework", "control_id"], name="unique_compliance_control")]

    def __str__(self) -> str:
        return f"{self.control_id} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("compliance:control-detail", args=[self.pk])


class ComplianceControlMapping(TechniqueReference):
    """A technique that a control is said to mitigate, in the mappings made for one ATT&CK version.

    `is_current` marks the newest set of the framework; older sets stay to be looked up.
    """

    OWNER = "control"

    control = models.ForeignKey(ComplianceControl, models.CASCADE, related_name="mappings")
    mapping_type = models.CharField(max_length=32)
    attack_version = models.CharField(max_length=32)
    is_current = models.BooleanField(default=False)
    comments = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["control", "published_id", "attack_version"], name="unique_compliance_control_mapping"
            )
        ]

    def __str__(self) -> str:
        return f"{self.control_id} {self.mapping_type} {self.published_id}"
