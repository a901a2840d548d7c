"""The catalogue in the Django admin: to look at. Imported facts are never edited, the next import would undo it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from aegis.lib.admin import ReadOnlyAdmin, ReadOnlyInline
from aegis.lib.templatetags.aegis import is_web_address
from catalog.models import (
    Analytic,
    AnalyticLogSource,
    AttackCampaign,
    AttackCampaignTechnique,
    AttackRelease,
    DataComponent,
    DefensiveTechnique,
    DefensiveTechniqueMapping,
    DetectionRule,
    DetectionRuleTechnique,
    DetectionStrategy,
    DetectionStrategyTechnique,
    LocalTechnique,
    Mitigation,
    MitigationTechnique,
    RuleSimulation,
    Software,
    SoftwareTechnique,
    Sourced,
    Tactic,
    Technique,
    TechniqueCrosswalk,
    TechniqueReference,
    TechniqueTactic,
    TemplateRuleLink,
    TestTemplate,
)
from catalog.provenance import last_run

PROVENANCE = tuple(field.name for field in Sourced._meta.fields)
REFERENCE = ("published_id", "technique", "resolution")


class StillPublished(admin.SimpleListFilter):
    """Whether upstream still publishes a row; both unless chosen."""

    title = "upstream"
    parameter_name = "upstream"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices."""
        return [("published", "Published"), ("withdrawn", "Withdrawn")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows of the choice."""
        conditions = {"published": True, "withdrawn": False}
        chosen = conditions.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(withdrawn_at__isnull=chosen)


class ImportedAdmin(ReadOnlyAdmin):
    """An imported row: its facts, what it refers to, and where it comes from with a link to the upstream file."""

    list_filter: ClassVar[Any] = (StillPublished,)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Facts, reference, provenance."""
        names = [field.name for field in self.model._meta.concrete_fields if not field.primary_key]
        reference = REFERENCE if issubclass(self.model, TechniqueReference) else ()
        facts = [name for name in names if name not in (*PROVENANCE, *reference)]
        origin = ("upstream_file", "licence", "last_changed_by", *PROVENANCE)
        parts = [(None, facts), ("Technique", reference), ("Provenance", origin)]
        return [(title, {"fields": tuple(fields)}) for title, fields in parts if fields]

    @admin.display(description="upstream file")
    def upstream_file(self, row: Sourced) -> str:
        """A link to the file, where its address is one of the web."""
        if not is_web_address(row.source_url):
            return row.path
        return format_html('<a href="{}" rel="noopener noreferrer nofollow">{}</a>', row.source_url, row.path)

    @admin.display(description="licence")
    def licence(self, row: Sourced) -> str:
        """That of the row itself where it tells one, else that of its source."""
        return getattr(row, "license", "") or row.upstream_license

    @admin.display(description="last changed by")
    def last_changed_by(self, row: Sourced) -> str:
        """A link to the run that changed the row last."""
        run = last_run(row)
        return format_html('<a href="{}">run {}</a>', run.url, run.id) if run else ""


class AttackAdmin(ImportedAdmin):
    """An ATT&CK object."""

    list_display: Any = ("mitre_id", "name", "object_version", "revoked", "deprecated", "withdrawn_at")
    list_display_links: Any = ("mitre_id", "name")
    list_filter: ClassVar[Any] = (StillPublished, "revoked", "deprecated")
    search_fields: ClassVar[Any] = ("mitre_id", "name", "stix_id")
    ordering: ClassVar[Any] = ("mitre_id",)


class ReferenceAdmin(ReadOnlyAdmin):
    """Technique ids that rows name: as published, and what each means in the current release."""

    list_filter: ClassVar[Any] = ("resolution",)
    search_fields: ClassVar[Any] = ("published_id", "technique__mitre_id")
    ordering: ClassVar[Any] = ("published_id", "pk")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """The row that names it, the id, and the technique by its id alone: no page has to load all techniques."""
        return ("published_id", self.model.OWNER, "technique_id", "resolution")

    def get_list_select_related(self, request: HttpRequest) -> tuple[str, ...]:
        """The row that names it."""
        return (self.model.OWNER,)


for reference in (
    AttackCampaignTechnique,
    DefensiveTechniqueMapping,
    DetectionRuleTechnique,
    DetectionStrategyTechnique,
    MitigationTechnique,
    SoftwareTechnique,
):
    admin.site.register(reference, ReferenceAdmin)

for attack_object in (AttackCampaign, DetectionStrategy, Mitigation):
    admin.site.register(attack_object, AttackAdmin)


@admin.register(AttackRelease)
class AttackReleaseAdmin(ImportedAdmin):
    list_display = ("domain", "version", "name", "modified")
    search_fields = ("domain", "version")
    ordering = ("domain",)


@admin.register(Tactic)
class TacticAdmin(AttackAdmin):
    list_display = ("position", "mitre_id", "name", "shortname")
    ordering = ("position",)


@admin.register(Technique)
class TechniqueAdmin(AttackAdmin):
    list_display = ("mitre_id", "name", "source", "parent_id", "revoked_by_id", "revoked", "deprecated", "withdrawn_at")
    list_filter = (StillPublished, "source", "is_subtechnique", "revoked", "deprecated")


@admin.register(LocalTechnique)
class LocalTechniqueAdmin(ReadOnlyAdmin):
    """Who wrote the techniques of one's own. They are edited on their pages, where a change is checked and recorded."""

    list_display = ("technique", "added_by", "changed_by")
    list_filter = ("added_by",)
    list_select_related = ("technique", "added_by", "changed_by")
    search_fields = ("technique__mitre_id", "technique__name")
    ordering = ("technique__mitre_id",)
    fields = ("technique", "added_by", "changed_by")


@admin.register(TechniqueTactic)
class TechniqueTacticAdmin(ReadOnlyAdmin):
    list_display = ("technique", "tactic_id", "position")
    list_filter = ("position",)
    list_select_related = ("technique",)
    search_fields = ("technique__mitre_id", "technique__name", "tactic__shortname")
    ordering = ("technique__mitre_id", "position")


@admin.register(TechniqueCrosswalk)
class TechniqueCrosswalkAdmin(ImportedAdmin):
    list_display = ("old_id", "old_version", "new_id", "new_version", "new_name")
    search_fields = ("old_id", "new_id", "new_name")
    ordering = ("old_id",)


@admin.register(Software)
class SoftwareAdmin(AttackAdmin):
    list_display = ("mitre_id", "name", "kind", "revoked", "deprecated", "withdrawn_at")
    list_filter = (StillPublished, "kind", "revoked", "deprecated")


class LogSourceInline(ReadOnlyInline):
    """Where an analytic reads."""

    model = AnalyticLogSource
    fields = ("name", "channel", "data_component_id")
    readonly_fields = ("data_component_id",)


@admin.register(Analytic)
class AnalyticAdmin(AttackAdmin):
    list_display = ("mitre_id", "name", "strategy_id", "revoked", "deprecated", "withdrawn_at")
    inlines = (LogSourceInline,)


@admin.register(AnalyticLogSource)
class AnalyticLogSourceAdmin(ReadOnlyAdmin):
    list_display = ("name", "channel", "analytic", "data_component_id")
    list_filter = ("name",)
    list_select_related = ("analytic",)
    search_fields = ("name", "channel", "analytic__mitre_id")
    ordering = ("name", "pk")


@admin.register(DataComponent)
class DataComponentAdmin(AttackAdmin):
    list_display = ("name", "mitre_id", "stix_id", "revoked", "deprecated", "withdrawn_at")
    list_display_links = ("name",)
    ordering = ("name",)


class RuleLinkInline(ReadOnlyInline):
    """Rules that upstream names as those that see a template."""

    model = TemplateRuleLink
    fields = ("file_name", "url")


@admin.register(TestTemplate)
class TestTemplateAdmin(ImportedAdmin):
    list_display = ("name", "source", "published_id", "technique_id", "resolution", "severity", "withdrawn_at")
    list_filter = (StillPublished, "source", "resolution", "severity")
    search_fields = ("name", "external_id", "published_id")
    ordering = ("name", "pk")
    inlines = (RuleLinkInline,)


@admin.register(TemplateRuleLink)
class TemplateRuleLinkAdmin(ReadOnlyAdmin):
    list_display = ("file_name", "template", "url")
    list_filter = (("template__source", admin.AllValuesFieldListFilter),)
    list_select_related = ("template",)
    search_fields = ("file_name", "url", "template__name")
    ordering = ("file_name", "pk")


class RuleTechniqueInline(ReadOnlyInline):
    """Techniques that a rule names."""

    model = DetectionRuleTechnique
    fields = ("published_id", "technique_id", "resolution")
    readonly_fields = ("technique_id", "resolution")


class SimulationInline(ReadOnlyInline):
    """Atomic tests that trigger a rule."""

    model = RuleSimulation
    fields = ("template_guid",)


@admin.register(DetectionRule)
class DetectionRuleAdmin(ImportedAdmin):
    list_display = ("name", "source", "severity", "status", "language", "mapped", "withdrawn_at")
    list_filter = (StillPublished, "source", "severity", "status", "language", "mapped")
    search_fields = ("name", "external_id", "file_name")
    ordering = ("name", "pk")
    inlines = (RuleTechniqueInline, SimulationInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DetectionRule]:
        """Rules whose long texts are read only where they are shown: on the page of one rule."""
        return DetectionRule.objects.without_texts()


@admin.register(RuleSimulation)
class RuleSimulationAdmin(ReadOnlyAdmin):
    list_display = ("template_guid", "rule")
    list_filter = (("rule__source", admin.AllValuesFieldListFilter),)
    list_select_related = ("rule",)
    search_fields = ("template_guid", "rule__name")
    ordering = ("template_guid", "pk")


@admin.register(DefensiveTechnique)
class DefensiveTechniqueAdmin(ImportedAdmin):
    list_display = ("d3fend_id", "name", "tactic", "parent_id", "withdrawn_at")
    list_display_links = ("d3fend_id", "name")
    list_filter = (StillPublished, "tactic")
    search_fields = ("d3fend_id", "name")
    ordering = ("d3fend_id",)
