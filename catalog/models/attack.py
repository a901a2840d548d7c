"""MITRE ATT&CK: releases, tactics, techniques, mitigations, software, campaigns."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from aegis.lib.json_lists import contains_text
from catalog.models.base import Sourced, SourcedQuerySet, TechniqueReference


class AttackRelease(Sourced):
    """The release of an ATT&CK domain that the catalogue holds, for example enterprise-attack 18.1."""

    domain = models.CharField(max_length=64, unique=True)
    version = models.CharField(max_length=128)
    modified = models.CharField(max_length=64)
    name = models.CharField(max_length=255)

    objects = SourcedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.domain} {self.version}"


class AttackObjectQuerySet(SourcedQuerySet):
    """Questions that can be asked of every ATT&CK object."""

    def active(self) -> Self:
        """Objects that are published, not revoked and not deprecated."""
        return self.current().filter(revoked=False, deprecated=False)

    def search(self, text: str) -> Self:
        """Objects whose id or name holds `text`."""
        return self.filter(Q(mitre_id__icontains=text) | Q(name__icontains=text))


class AttackObject(Sourced):
    """What every ATT&CK object has. `object_version` is MITRE's version of this object alone."""

    mitre_id = models.CharField(max_length=32, unique=True)
    stix_id = models.CharField(max_length=128, db_index=True)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True)
    url = models.CharField(max_length=512, blank=True)
    object_version = models.CharField(max_length=32, blank=True)
    revoked = models.BooleanField(default=False)
    deprecated = models.BooleanField(default=False)

    class Meta:
        abstract = True
        ordering = ["mitre_id"]

    def __str__(self) -> str:
        return f"{self.mitre_id} {self.name}"

    @property
    def is_active(self) -> bool:
        """Whether the object is published, not revoked and not deprecated."""
        return self.is_current and not self.revoked and not self.deprecated


class Tactic(AttackObject):
    """A column of the matrix. `position` is the release's own order."""

    shortname = models.CharField(max_length=64, unique=True)
    position = models.PositiveSmallIntegerField()

    objects = AttackObjectQuerySet.as_manager()

    class Meta(AttackObject.Meta):
        ordering = ["position"]


class TechniqueQuerySet(AttackObjectQuerySet):
    """What an analyst asks about techniques."""

    def in_tactic(self, shortname: str) -> Self:
        """Techniques of one tactic."""
        return self.filter(technique_tactics__tactic=shortname)

    def on_platform(self, platform: str) -> Self:
        """Techniques that ATT&CK lists for `platform`."""
        return self.filter(contains_text("platforms", platform))

    def used_by(self, actor: str) -> Self:
        """Techniques that the actor with this ATT&CK id uses, itself or through a campaign."""
        return self.filter(threatactortechnique__actor__mitre_id=actor).distinct()

    def parents(self) -> Self:
        """Techniques that are not sub-techniques."""
        return self.filter(is_subtechnique=False)


class Technique(AttackObject):
    """A technique or sub-technique. `parent` and `revoked_by` go by ATT&CK id; old rows are flagged, never deleted."""

    platforms = models.JSONField(default=list, blank=True)
    is_subtechnique = models.BooleanField(default=False)
    parent = models.ForeignKey(
        "self",
        models.DO_NOTHING,
        to_field="mitre_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="subtechniques",
    )
    revoked_by = models.ForeignKey(
        "self",
        models.DO_NOTHING,
        to_field="mitre_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="revokes",
    )

    objects = TechniqueQuerySet.as_manager()

    def get_absolute_url(self) -> str:
        return reverse("coverage:technique", args=[self.mitre_id])


class TechniqueTactic(models.Model):
    """One tactic of a technique; `position` is upstream's order among the technique's tactics."""

    technique = models.ForeignKey(Technique, models.CASCADE, related_name="technique_tactics")
    tactic = models.ForeignKey(Tactic, models.DO_NOTHING, to_field="shortname", db_constraint=False)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["technique", "tactic"], name="unique_technique_tactic")]

    def __str__(self) -> str:
        return self.tactic_id


class Mitigation(AttackObject):
    """An ATT&CK mitigation (M1032)."""

    techniques = models.ManyToManyField(Technique, through="MitigationTechnique", related_name="mitigations")

    objects = AttackObjectQuerySet.as_manager()


class MitigationTechnique(TechniqueReference):
    OWNER = "mitigation"

    mitigation = models.ForeignKey(Mitigation, models.CASCADE, related_name="references")
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.mitigation_id} mitigates {self.published_id}"


class Software(AttackObject):
    """Malware or a tool (S0002)."""

    class Kind(models.TextChoices):
        MALWARE = "malware", "Malware"
        TOOL = "tool", "Tool"

    kind = models.CharField(max_length=16, choices=Kind)
    aliases = models.JSONField(default=list, blank=True)
    platforms = models.JSONField(default=list, blank=True)
    revoked_by = models.ForeignKey(
        "self",
        models.DO_NOTHING,
        to_field="mitre_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="revokes",
    )
    techniques = models.ManyToManyField(Technique, through="SoftwareTechnique", related_name="software")

    objects = AttackObjectQuerySet.as_manager()

    class Meta(AttackObject.Meta):
        verbose_name_plural = "software"


class SoftwareTechnique(TechniqueReference):
    OWNER = "software"

    software = models.ForeignKey(Software, models.CASCADE, related_name="references")
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.software_id} uses {self.published_id}"


class AttackCampaign(AttackObject):
    """An intrusion campaign that ATT&CK describes (C0022); our own assessments are `coverage` campaigns.

    `actors` and `software` are lists of ATT&CK ids.
    """

    aliases = models.JSONField(default=list, blank=True)
    first_seen = models.CharField(max_length=32, blank=True)
    last_seen = models.CharField(max_length=32, blank=True)
    actors = models.JSONField(default=list, blank=True)
    software = models.JSONField(default=list, blank=True)
    techniques = models.ManyToManyField(Technique, through="AttackCampaignTechnique", related_name="attack_campaigns")

    objects = AttackObjectQuerySet.as_manager()

    class Meta(AttackObject.Meta):
        verbose_name = "ATT&CK campaign"


class AttackCampaignTechnique(TechniqueReference):
    OWNER = "campaign"

    campaign = models.ForeignKey(AttackCampaign, models.CASCADE, related_name="references")
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.campaign_id} uses {self.published_id}"


class TechniqueCrosswalk(Sourced):
    """`old_id` of ATT&CK `old_version` is called `new_id` in `new_version`."""

    old_version = models.CharField(max_length=16)
    new_version = models.CharField(max_length=16)
    old_id = models.CharField(max_length=32)
    new_id = models.CharField(max_length=32)
    new_name = models.CharField(max_length=255)

    objects = SourcedQuerySet.as_manager()

    class Meta:
        ordering = ["old_id"]
        constraints = [
            models.UniqueConstraint(fields=["old_version", "new_version", "old_id"], name="unique_technique_crosswalk")
        ]

    def __str__(self) -> str:
        return f"{self.old_id} (v{self.old_version}) is {self.new_id} (v{self.new_version})"
