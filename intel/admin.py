"""Threat actors, and what the news say, in the Django admin: to look at."""

from django.contrib import admin

from aegis.lib.admin import ReadOnlyAdmin
from catalog.admin import AttackAdmin, ReferenceAdmin, StillPublished
from intel.models import IntelFlag, IntelItem, Mention, ThreatActor, ThreatActorSoftware, ThreatActorTechnique


@admin.register(ThreatActor)
class ThreatActorAdmin(AttackAdmin):
    list_display = ("mitre_id", "name", "country", "motivation", "revoked", "deprecated", "withdrawn_at")
    list_filter = (StillPublished, "country", "motivation", "revoked", "deprecated")
    search_fields = ("mitre_id", "name", "aliases")
    ordering = ("mitre_id",)


@admin.register(ThreatActorTechnique)
class ThreatActorTechniqueAdmin(ReferenceAdmin):
    search_fields = ("published_id", "technique__mitre_id", "actor__mitre_id", "actor__name", "campaign")


@admin.register(ThreatActorSoftware)
class ThreatActorSoftwareAdmin(ReadOnlyAdmin):
    list_display = ("actor", "software_id", "campaign")
    list_filter = (("campaign", admin.EmptyFieldListFilter),)
    list_select_related = ("actor",)
    search_fields = ("actor__mitre_id", "actor__name", "software__mitre_id", "software__name", "campaign")
    ordering = ("actor__mitre_id", "software_id", "pk")


@admin.register(IntelItem)
class IntelItemAdmin(ReadOnlyAdmin):
    list_display = ("title", "feed", "at", "state", "assigned_to")
    list_filter = ("state", "feed")
    list_select_related = ("feed", "assigned_to")
    search_fields = ("title", "summary", "url")
    ordering = ("-at", "-pk")


@admin.register(Mention)
class MentionAdmin(ReadOnlyAdmin):
    list_display = ("text", "kind", "key", "confident", "confidence", "reason", "item")
    list_filter = ("kind", "confident")
    list_select_related = ("item",)
    search_fields = ("key", "text", "item__title")
    ordering = ("-pk",)


@admin.register(IntelFlag)
class IntelFlagAdmin(ReadOnlyAdmin):
    list_display = ("technique", "item", "at", "by_hand")
    list_filter = ("by_hand",)
    list_select_related = ("item",)
    search_fields = ("technique", "item__title")
    ordering = ("-pk",)
