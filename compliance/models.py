"""Frameworks, their controls, and the techniques that each control has to do with."""

from __future__ import annotations

from typing import Any, Final, Self

from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse

from aegis.audit.watch import watch_changes
from catalog.models import Technique, TechniqueReference
from catalog.models.base import Sourced, SourcedQuerySet
from catalog.models.numbers import distinct_number
from compliance.words import Words, said_of, words_of

MITIGATING: Final = frozenset({"mitigates", "protects"})
"""Types of mapping by which a control claims to stand against a technique. All others only describe."""
DEFENDING: Final = frozenset({"protect", "detect"})
"""Score categories by which it does; who responds neither prevents nor notices."""
DEFENDS: Final = Q(score_category__in=DEFENDING) | Q(score_category="", mapping_type__in=MITIGATING)
"""Mappings that claim to mitigate or to detect: what a missed test contradicts."""


class ComplianceFrameworkQuerySet(SourcedQuerySet):
    """Which frameworks anybody sees."""

    def shown(self) -> Self:
        """Frameworks that are published and switched on."""
        return self.current().filter(switched_on=True)


class ComplianceFramework(Sourced):
    """One version of a framework. `attack_version` is the ATT&CK version of its current mappings.

    `switched_on` is ours: an admin decides whether the framework is shown and counted anywhere.
    """

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    version = models.CharField(max_length=32)
    attack_version = models.CharField(max_length=32, blank=True)
    switched_on = models.BooleanField(default=True)

    objects = ComplianceFrameworkQuerySet.as_manager()

    class Meta:
        ordering = ["name", "version"]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("compliance:framework-detail", args=[self.slug])

    @property
    def words(self) -> Words:
        """What its parts are called."""
        return words_of(self.slug)


watch_changes(
    ComplianceFramework,
    "framework",
    {"switched_on": lambda framework: "switched_on" if framework.switched_on else "switched_off"},
)


class ComplianceControlQuerySet(SourcedQuerySet):
    """What an auditor asks about controls."""

    def shown(self) -> Self:
        """Controls of the frameworks that are switched on, whatever became of them."""
        return self.filter(framework__switched_on=True)

    def in_force(self) -> Self:
        """Controls that are published and that the framework, which is switched on, has not withdrawn."""
        return self.shown().current().filter(withdrawn=False)

    def search(self, text: str) -> Self:
        """Controls whose id or title holds `text`."""
        return self.filter(Q(control_id__icontains=text) | Q(title__icontains=text))

    def with_mapped(self) -> Self:
        """Controls with `mapped`, the number of active techniques that the current mappings of each name."""
        active = Technique.objects.active().order_by().values("mitre_id")
        current = ComplianceControlMapping.objects.filter(is_current=True, technique__in=active)
        return self.annotate(mapped=distinct_number(current, "control", "technique"))


class ComplianceControl(Sourced):
    """One control or enhancement. `withdrawn` is the framework's word; `withdrawn_at` says that upstream dropped it.

    `in_catalogue` is False for a control that only a set of mappings names, not the published catalogue.
    """

    framework = models.ForeignKey(
        ComplianceFramework, models.DO_NOTHING, to_field="slug", db_constraint=False, related_name="controls"
    )
    control_id = models.CharField(max_length=128)
    sort_key = models.CharField(max_length=192, db_index=True)
    title = models.CharField(max_length=512)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=255, blank=True, db_index=True)
    parent_control_id = models.CharField(max_length=128, blank=True)
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
    """A technique that a control has to do with, in the mappings made for one ATT&CK version.

    `is_current` marks the newest set of the framework; older sets stay to be looked up. `mapping_type` is upstream's word
    ("mitigates", "primary_impact", "technique_scores"), `mapping_name` its name where it has one. A scored mapping says in
    `score_category` what the control does ("protect", "detect", "respond") and in `score_value` how well ("minimal",
    "partial", "significant"); one control may be scored several times against one technique.
    """

    OWNER = "control"

    control = models.ForeignKey(ComplianceControl, models.CASCADE, related_name="mappings")
    mapping_type = models.CharField(max_length=64)
    mapping_name = models.CharField(max_length=128, blank=True)
    score_category = models.CharField(max_length=32, blank=True)
    score_value = models.CharField(max_length=32, blank=True)
    attack_version = models.CharField(max_length=32)
    is_current = models.BooleanField(default=False)
    comments = models.TextField(blank=True)
    references = models.JSONField(default=list, blank=True)

    class Meta:
        # The matrix counts the controls of a framework for each technique.
        indexes = [models.Index(fields=["control", "technique"], condition=Q(is_current=True), name="current_mappings")]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "control",
                    "published_id",
                    "attack_version",
                    "mapping_type",
                    "score_category",
                    "score_value",
                ],
                name="unique_compliance_control_mapping",
            )
        ]

    def __str__(self) -> str:
        return f"{self.control_id} {self.mapping_type} {self.published_id}"

    @property
    def defends(self) -> bool:
        """Whether it claims to mitigate or to detect, as `DEFENDS` says."""
        if self.score_category:
            return self.score_category in DEFENDING
        return self.mapping_type in MITIGATING

    @property
    def said(self) -> str:
        """What the mapping says, for people: "Mitigates", "Detects: partial"."""
        return said_of(self.mapping_type, self.mapping_name, self.score_category, self.score_value)
