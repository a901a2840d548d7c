"""Test templates: atomic tests, CALDERA abilities, LOLBAS commands."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Case, Q, Value, When
from django.urls import reverse

from aegis.lib.json_lists import contains_text
from catalog.models.base import Sourced, SourcedQuerySet, TechniqueReference


class Severity(models.TextChoices):
    """The five severities that detection rules use; templates carry a derived one."""

    INFORMATIONAL = "informational", "Informational"
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"
    CRITICAL = "critical", "Critical"


SEVERITY_RANK = Case(
    *(When(severity=severity, then=Value(rank)) for rank, severity in enumerate(Severity.values)),
    output_field=models.SmallIntegerField(),
)
"""The place of a row's severity, from informational to critical; none for rows without one."""


class TestTemplateQuerySet(SourcedQuerySet):
    """What an analyst asks about templates."""

    def on_platform(self, platform: str) -> Self:
        """Templates that run on `platform`."""
        return self.filter(contains_text("platforms", platform))

    def search(self, text: str) -> Self:
        """Templates whose name, technique id, description or commands hold `text`."""
        return self.filter(
            Q(name__icontains=text)
            | Q(published_id__icontains=text)
            | Q(description__icontains=text)
            | Q(attack_commands__icontains=text)
        )

    def without_texts(self) -> Self:
        """Rows for lists: the long texts are left in the database."""
        return self.defer(
            "description", "attack_commands", "cleanup_commands", "expected_detection", "usecase", "input_arguments"
        )


class TestTemplate(Sourced, TechniqueReference):
    """A reusable emulation of one technique.

    `executors` is a list of {platform, executor, command, cleanup, elevation_required, payloads}; `input_arguments` of {name,
    description, type, default}; `dependencies` of {description, check, get}. `derived` names the fields that Aegis worked out
    because upstream publishes none.
    """

    external_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    platforms = models.JSONField(default=list, blank=True)
    executors = models.JSONField(default=list, blank=True)
    attack_commands = models.TextField(blank=True)
    cleanup_commands = models.TextField(blank=True)
    expected_detection = models.TextField(blank=True)
    severity = models.CharField(max_length=16, choices=Severity, blank=True, db_index=True)
    derived = models.JSONField(default=list, blank=True)
    input_arguments = models.JSONField(default=list, blank=True)
    dependencies = models.JSONField(default=list, blank=True)
    tactic = models.CharField(max_length=64, blank=True)
    usecase = models.TextField(blank=True)
    category = models.CharField(max_length=64, blank=True)
    privileges = models.CharField(max_length=255, blank=True)
    operating_system = models.TextField(blank=True)
    tags = models.JSONField(default=list, blank=True)
    references = models.JSONField(default=list, blank=True)

    objects = TestTemplateQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["technique"], condition=Q(withdrawn_at=None), name="live_test_templates")]
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="unique_test_template")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("catalog:template-detail", args=[self.pk])


class TemplateRuleLink(models.Model):
    """A detection rule that upstream names as one that sees a template. `file_name` is the rule's file in its repository."""

    template = models.ForeignKey(TestTemplate, models.CASCADE, related_name="rule_links")
    url = models.CharField(max_length=1024)
    file_name = models.CharField(max_length=255, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["template", "url"], name="unique_template_rule_link")]

    def __str__(self) -> str:
        return self.url
