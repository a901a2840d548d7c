"""Threat actors: who they are said to be, and which techniques and software they use."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from aegis.lib.json_lists import contains_text
from catalog.models import Software, Technique, TechniqueReference
from catalog.models.attack import AttackObject, AttackObjectQuerySet
from catalog.models.numbers import distinct_number


class ThreatActorQuerySet(AttackObjectQuerySet):
    """What an analyst asks about actors."""

    def search(self, text: str) -> Self:
        """Actors whose id, name or one of whose aliases holds `text`."""
        return self.filter(Q(mitre_id__icontains=text) | Q(name__icontains=text) | Q(aliases__icontains=text))

    def targeting(self, sector: str) -> Self:
        """Actors that are said to target a sector."""
        return self.filter(contains_text("target_sectors", sector))

    def targeting_region(self, region: str) -> Self:
        """Actors that are said to target a region."""
        return self.filter(contains_text("target_regions", region))

    def with_used(self) -> Self:
        """Actors with `used`, the number of active techniques that each uses, and `used_itself` of these.

        The others are known only through campaigns that are laid to the actor.
        """
        active = Technique.objects.active().order_by().values("mitre_id")
        uses = ThreatActorTechnique.objects.filter(technique__in=active)
        return self.annotate(
            used=distinct_number(uses, "actor", "technique"),
            used_itself=distinct_number(uses.filter(campaign=""), "actor", "technique"),
        )


class ThreatActor(AttackObject):
    """An ATT&CK group (G0007).

    Country, motivation, sectors and regions are read from the description only where it attributes; `attributions` is the list
    of {field, value, sentence} that says where each came from.
    """

    aliases = models.JSONField(default=list, blank=True)
    country = models.CharField(max_length=64, blank=True, db_index=True)
    motivation = models.CharField(max_length=64, blank=True)
    target_sectors = models.JSONField(default=list, blank=True)
    target_regions = models.JSONField(default=list, blank=True)
    attributions = models.JSONField(default=list, blank=True)
    revoked_by = models.ForeignKey(
        "self",
        models.DO_NOTHING,
        to_field="mitre_id",
        db_constraint=False,
        null=True,
        blank=True,
        related_name="revokes",
    )
    techniques = models.ManyToManyField(Technique, through="ThreatActorTechnique", related_name="threat_actors")

    objects = ThreatActorQuerySet.as_manager()

    class Meta(AttackObject.Meta):
        ordering = ["name", "mitre_id"]

    @property
    def other_names(self) -> list[str]:
        """Its aliases but the name, which ATT&CK lists among them."""
        return [alias for alias in self.aliases if alias != self.name]

    def get_absolute_url(self) -> str:
        return reverse("intel:actor-detail", args=[self.mitre_id])


class ThreatActorTechnique(TechniqueReference):
    """One use of a technique by an actor; `campaign` is the ATT&CK id of the campaign through which it is known, or empty."""

    OWNER = "actor"

    actor = models.ForeignKey(ThreatActor, models.CASCADE, related_name="uses")
    text = models.TextField(blank=True)
    campaign = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["actor", "published_id", "campaign"], name="unique_threat_actor_technique")
        ]

    def __str__(self) -> str:
        return f"{self.actor_id} uses {self.published_id}"


class ThreatActorSoftware(models.Model):
    """One use of software by an actor, with the text that says how."""

    actor = models.ForeignKey(ThreatActor, models.CASCADE, related_name="software_uses")
    software = models.ForeignKey(
        Software, models.DO_NOTHING, to_field="mitre_id", db_constraint=False, related_name="actor_uses"
    )
    text = models.TextField(blank=True)
    campaign = models.CharField(max_length=32, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["actor", "software", "campaign"], name="unique_threat_actor_software")
        ]

    def __str__(self) -> str:
        return f"{self.actor_id} uses {self.software_id}"
