"""Filters of techniques, templates, rules and defences, for pages and API alike.

A list shows what is current. Asking for something that is hidden by default shows all of it: `revoked=true` the revoked
techniques, `status=deprecated` the deprecated rules with or without a technique.
"""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet

from aegis.lib.filters import Choices, Listed, Search, Text, YesNo, distinct_items, distinct_values, within
from aegis.lib.upstreams import upstream
from catalog.models import (
    LOCAL,
    DefensiveTechnique,
    DetectionRule,
    DetectionRuleTechnique,
    Severity,
    Tactic,
    Technique,
    TestTemplate,
)


def tactics() -> Choices:
    """The tactics of the release, in its order."""
    return Tactic.objects.active().values_list("shortname", "name")


def sources_of(queryset: QuerySet[Any]) -> Choices:
    """The sources that rows come from, by name."""
    return [(slug, upstream(slug).name) for slug, _ in distinct_values(queryset, "source")]


def names_technique(techniques: str, value: str, *, subtechniques: bool) -> Q:
    """The condition that a reference names a technique: by the id that it resolved to, or as upstream published it.

    `techniques` is the lookup of the reference ("" if the row itself is one); sub-techniques count if asked for.
    """
    prefix = f"{techniques}__" if techniques else ""
    mitre_id = value.strip().upper()
    named = Q(**{f"{prefix}technique": mitre_id}) | Q(**{f"{prefix}published_id": mitre_id})
    return named | Q(**{f"{prefix}technique__parent": mitre_id}) if subtechniques else named


class CurrentFilter(django_filters.FilterSet):
    """Shows what upstream still publishes; `withdrawn=true` shows what it dropped."""

    withdrawn = YesNo(method="keep", label="Dropped by upstream")

    def keep(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        """No narrowing here: `filter_queryset` looks at this value together with others."""
        return queryset

    def asked(self, name: str) -> Any:
        """The cleaned value of a filter; None or empty if it was not given."""
        return self.form.cleaned_data.get(name)

    def filter_queryset(self, queryset: Any) -> Any:
        """The rows that were asked for, without those that are hidden by default."""
        found = super().filter_queryset(queryset)
        return found.withdrawn() if self.asked("withdrawn") else self.visible(found)

    def visible(self, queryset: Any) -> Any:
        """The rows that show unless withdrawn ones are asked for."""
        return queryset.current()


class AttackObjectFilter(CurrentFilter):
    """Shows what is active; `revoked=true` and `deprecated=true` show the others."""

    revoked = YesNo()
    deprecated = YesNo()

    def visible(self, queryset: Any) -> Any:
        """Active objects, or current ones if revoked or deprecated ones are asked for."""
        return queryset.current() if self.asked("revoked") or self.asked("deprecated") else queryset.active()


class TechniqueFilter(AttackObjectFilter):
    """Filters of techniques."""

    search = Search()
    tactic = Listed(method="by_tactic", label="Tactic", choices=tactics)
    platform = Listed(
        method="by_platform",
        label="Platform",
        choices=lambda: distinct_items(Technique.objects.active(), "platforms"),
    )
    actor = Text(method="by_actor", label="Used by actor (id)")
    is_subtechnique = YesNo(label="Sub-technique")
    local = YesNo(method="by_origin", label="Added here")
    has_rules = YesNo(method="by_rules", label="Rules")
    has_templates = YesNo(method="by_templates", label="Templates")

    def by_tactic(self, queryset: Any, name: str, value: str) -> Any:
        """Techniques of one tactic."""
        return within(queryset, Technique.objects.in_tactic(value))

    def by_platform(self, queryset: Any, name: str, value: str) -> Any:
        """Techniques for one platform."""
        return queryset.on_platform(value)

    def by_actor(self, queryset: Any, name: str, value: str) -> Any:
        """Techniques that an actor uses, itself or through a campaign."""
        return within(queryset, Technique.objects.used_by(value.upper()))

    def by_origin(self, queryset: Any, name: str, value: bool) -> Any:
        """Techniques that were added here, or those of ATT&CK."""
        return queryset.filter(source=LOCAL) if value else queryset.exclude(source=LOCAL)

    def by_rules(self, queryset: Any, name: str, value: bool) -> Any:
        """Techniques that a listed rule names, or those that none names."""
        listed = DetectionRule.objects.listed().order_by()
        return named_by(queryset, DetectionRuleTechnique.objects.filter(rule__in=listed), value)

    def by_templates(self, queryset: Any, name: str, value: bool) -> Any:
        """Techniques that a template emulates, or those that none does."""
        return named_by(queryset, TestTemplate.objects.current(), value)


def named_by(techniques: Any, references: QuerySet[Any], wanted: bool) -> Any:
    """The techniques that some of the references resolve to, or if not `wanted` those that none does."""
    named = Q(mitre_id__in=references.exclude(technique=None).order_by().values("technique"))
    return techniques.filter(named if wanted else ~named)


class TestTemplateFilter(CurrentFilter):
    """Filters of test templates."""

    search = Search()
    source = Listed(choices=lambda: sources_of(TestTemplate.objects.current()))
    technique = Text(method="by_technique", label="Technique")
    subtechniques = YesNo(method="keep", label="With sub-techniques")
    tactic = Listed(method="by_tactic", label="Tactic", choices=tactics)
    platform = Listed(
        method="by_platform",
        label="Platform",
        choices=lambda: distinct_items(TestTemplate.objects.current(), "platforms"),
    )
    severity = django_filters.ChoiceFilter(choices=Severity.choices, empty_label="Any")

    def by_technique(self, queryset: Any, name: str, value: str) -> Any:
        """Templates of one technique."""
        return queryset.filter(names_technique("", value, subtechniques=bool(self.asked("subtechniques"))))

    def by_tactic(self, queryset: Any, name: str, value: str) -> Any:
        """Templates whose technique is of a tactic, or that upstream itself puts there."""
        techniques = Technique.objects.in_tactic(value).order_by().values("mitre_id")
        return queryset.filter(Q(tactic=value) | Q(technique__in=techniques))

    def by_platform(self, queryset: Any, name: str, value: str) -> Any:
        """Templates for one platform."""
        return queryset.on_platform(value)


class DetectionRuleFilter(CurrentFilter):
    """Filters of detection rules: those that name a technique and are not deprecated, unless told otherwise."""

    search = Search()
    source = Listed(choices=lambda: sources_of(DetectionRule.objects.live()))
    technique = Text(method="by_technique", label="Technique")
    subtechniques = YesNo(method="keep", label="With sub-techniques")
    tactic = Listed(method="by_tactic", label="Tactic", choices=tactics)
    platform = Listed(
        method="by_platform",
        label="Platform",
        choices=lambda: distinct_items(DetectionRule.objects.live(), "platforms"),
    )
    severity = django_filters.ChoiceFilter(choices=Severity.choices, empty_label="Any")
    status = Listed(choices=lambda: distinct_values(DetectionRule.objects.current(), "status"), any_label="Any live")
    language = Listed(choices=lambda: distinct_values(DetectionRule.objects.live(), "language"))
    mapped = YesNo(label="Names a technique")
    building_block = YesNo()

    def visible(self, queryset: Any) -> Any:
        """Rules that count, or current ones if unmapped or deprecated ones are asked for."""
        hidden = self.asked("mapped") is False or self.asked("status") == "deprecated"
        return queryset.current() if hidden else queryset.listed()

    def by_technique(self, queryset: Any, name: str, value: str) -> Any:
        """Rules that name a technique."""
        named = names_technique("", value, subtechniques=bool(self.asked("subtechniques")))
        return queryset.filter(pk__in=DetectionRuleTechnique.objects.filter(named).order_by().values("rule"))

    def by_tactic(self, queryset: Any, name: str, value: str) -> Any:
        """Rules that name a tactic, or a technique of it."""
        return within(queryset, DetectionRule.objects.in_tactic(value))

    def by_platform(self, queryset: Any, name: str, value: str) -> Any:
        """Rules for one platform."""
        return queryset.on_platform(value)


def defence_tactics() -> Choices:
    """D3FEND's tactics, in its order."""
    rows = DefensiveTechnique.objects.current().exclude(tactic="").order_by("tactic_position")
    return [(tactic, tactic) for tactic, _ in rows.values_list("tactic", "tactic_position").distinct()]


class DefensiveTechniqueFilter(CurrentFilter):
    """Filters of defensive techniques."""

    search = Search()
    tactic = Listed(lookup_expr="iexact", choices=defence_tactics)
    technique = Text(method="by_technique", label="Technique")

    def by_technique(self, queryset: Any, name: str, value: str) -> Any:
        """Defences that counter a technique."""
        return within(
            queryset, DefensiveTechnique.objects.filter(names_technique("mappings", value, subtechniques=False))
        )
