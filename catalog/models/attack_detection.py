"""ATT&CK's own detection objects since release 18: strategies, analytics, data components and log sources."""

from __future__ import annotations

from django.db import models

from catalog.models.attack import AttackObject, AttackObjectQuerySet, Technique
from catalog.models.base import TechniqueReference


class DetectionStrategy(AttackObject):
    """How a technique can be detected (DET0103), as a set of analytics."""

    techniques = models.ManyToManyField(
        Technique, through="DetectionStrategyTechnique", related_name="detection_strategies"
    )

    objects = AttackObjectQuerySet.as_manager()

    class Meta(AttackObject.Meta):
        verbose_name_plural = "detection strategies"


class DetectionStrategyTechnique(TechniqueReference):
    OWNER = "strategy"

    strategy = models.ForeignKey(DetectionStrategy, models.CASCADE, related_name="references")
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.strategy_id} detects {self.published_id}"


class Analytic(AttackObject):
    """One way to carry out a strategy on some platforms. `mutable_elements` are {field, description}."""

    strategy = models.ForeignKey(
        DetectionStrategy,
        models.DO_NOTHING,
        to_field="mitre_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="analytics",
    )
    platforms = models.JSONField(default=list, blank=True)
    mutable_elements = models.JSONField(default=list, blank=True)

    objects = AttackObjectQuerySet.as_manager()


class DataComponent(AttackObject):
    """What can be observed (Process Creation). Before release 18 it had no ATT&CK id, so the STIX id is its key."""

    mitre_id = models.CharField(max_length=32, blank=True, db_index=True)
    stix_id = models.CharField(max_length=128, unique=True)
    log_sources = models.JSONField(default=list, blank=True)

    objects = AttackObjectQuerySet.as_manager()


class AnalyticLogSource(models.Model):
    """Where an analytic reads its events: a log, a channel in it, and the data component they are part of."""

    analytic = models.ForeignKey(Analytic, models.CASCADE, related_name="log_sources")
    name = models.CharField(max_length=255)
    channel = models.TextField(blank=True)
    data_component = models.ForeignKey(
        DataComponent,
        models.DO_NOTHING,
        to_field="stix_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="analytic_log_sources",
    )

    def __str__(self) -> str:
        return f"{self.name} {self.channel}".strip()
