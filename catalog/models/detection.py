"""Published detection rules: SigmaHQ and Elastic."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Prefetch, Q
from django.urls import reverse

from aegis.lib.json_lists import contains_text
from catalog.models.attack import Technique
from catalog.models.base import Sourced, SourcedQuerySet, TechniqueReference
from catalog.models.emulation import Severity


class DetectionRuleQuerySet(SourcedQuerySet):
    """What an analyst asks about rules."""

    def live(self) -> Self:
        """Rules that are published and not deprecated."""
        return self.current().exclude(status="deprecated")

    def listed(self) -> Self:
        """Rules that count in lists and figures: live, and naming at least one technique."""
        return self.live().filter(mapped=True)

    def on_platform(self, platform: str) -> Self:
        """Rules for `platform`."""
        return self.filter(contains_text("platforms", platform))

    def in_tactic(self, shortname: str) -> Self:
        """Rules that name a tactic themselves, or a technique of it."""
        return self.filter(
            contains_text("tactics", shortname)
            | Q(references_to_techniques__technique__technique_tactics__tactic=shortname)
        ).distinct()

    def search(self, text: str) -> Self:
        """Rules whose name, description, query or id holds `text`."""
        return self.filter(
            Q(name__icontains=text)
            | Q(description__icontains=text)
            | Q(query__icontains=text)
            | Q(external_id__icontains=text)
        )

    def with_techniques(self) -> Self:
        """Rules with `named`, their references in upstream's order, each with its technique."""
        references = DetectionRuleTechnique.objects.select_related("technique")
        return self.prefetch_related(Prefetch("references_to_techniques", references, to_attr="named"))

    def without_texts(self) -> Self:
        """Rows for lists: the long texts are left in the database."""
        return self.defer("query", "content", "description", "false_positives", "references")


class DetectionRule(Sourced):
    """A Sigma or Elastic rule.

    `content` is the whole upstream file, `query` its logic, both byte for byte. `mapped` says that it names a technique.
    `log_source` has the keys product, category, service (Sigma) or index, integration (Elastic).
    """

    external_id = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    file_name = models.CharField(max_length=255, db_index=True)
    description = models.TextField(blank=True)
    query = models.TextField(blank=True)
    language = models.CharField(max_length=32, blank=True)
    rule_type = models.CharField(max_length=32, blank=True)
    severity = models.CharField(max_length=16, choices=Severity, blank=True, db_index=True)
    risk_score = models.PositiveSmallIntegerField(null=True, blank=True)
    platforms = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=32, blank=True, db_index=True)
    mapped = models.BooleanField(default=False, db_index=True)
    tactics = models.JSONField(default=list, blank=True)
    references = models.JSONField(default=list, blank=True)
    author = models.TextField(blank=True)
    license = models.CharField(max_length=64, blank=True)
    created = models.CharField(max_length=32, blank=True)
    modified = models.CharField(max_length=32, blank=True)
    tags = models.JSONField(default=list, blank=True)
    false_positives = models.JSONField(default=list, blank=True)
    log_source = models.JSONField(default=dict, blank=True)
    building_block = models.BooleanField(default=False)
    content = models.TextField(blank=True)
    techniques = models.ManyToManyField(Technique, through="DetectionRuleTechnique", related_name="detection_rules")

    objects = DetectionRuleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(fields=["source", "external_id"], name="unique_detection_rule")]
        # Every page counts the listed rules; the rows themselves are wide, with whole files in them.
        indexes = [
            models.Index(fields=["withdrawn_at", "mapped", "status", "source"], name="listed_detection_rules"),
            # The matrix and the figures ask for the source of each: the rows themselves are long.
            models.Index(
                fields=["id", "source"],
                condition=Q(withdrawn_at=None, mapped=True) & ~Q(status="deprecated"),
                name="live_detection_rules",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("catalog:rule-detail", args=[self.pk])


class DetectionRuleTechnique(TechniqueReference):
    """One technique that a rule names; `position` is its place in the rule."""

    OWNER = "rule"

    rule = models.ForeignKey(DetectionRule, models.CASCADE, related_name="references_to_techniques")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["rule", "published_id"], name="unique_detection_rule_technique")]

    def __str__(self) -> str:
        return self.published_id


class RuleSimulation(models.Model):
    """An atomic test that upstream names as one that triggers a rule; `template_guid` is the test's external id."""

    rule = models.ForeignKey(DetectionRule, models.CASCADE, related_name="simulations")
    template_guid = models.CharField(max_length=255, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "template_guid"], name="unique_rule_simulation")]

    def __str__(self) -> str:
        return self.template_guid
