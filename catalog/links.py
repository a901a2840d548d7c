"""What upstreams say belongs together: templates that trigger a rule, rules that see a template.

LOLBAS links a rule by its address, Elastic names an atomic test by its GUID. Neither need be in the catalogue, so each link
carries either the row that was found or what was published.
"""

from dataclasses import dataclass

from django.db.models import Q

from catalog.models import DetectionRule, TestTemplate


@dataclass(frozen=True, slots=True)
class RuleLink:
    """A rule that is said to see a template: `rule` where the catalogue has it, else only the address it was named by."""

    rule: DetectionRule | None
    url: str = ""
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class TemplateLink:
    """A template that is said to trigger a rule: `template` where the catalogue has it, else only its GUID."""

    template: TestTemplate | None
    guid: str = ""


def rules_that_see(template: TestTemplate) -> list[RuleLink]:
    """The rules that upstreams link to a template: those of the catalogue by name, then those that it does not have."""
    links = list(template.rule_links.order_by("file_name"))
    named = Q(file_name__in=[link.file_name for link in links]) | Q(simulations__template_guid=template.external_id)
    rules = list(DetectionRule.objects.without_texts().filter(named).distinct())
    found = {rule.file_name for rule in rules}
    missing = [RuleLink(None, link.url, link.file_name) for link in links if link.file_name not in found]
    return [RuleLink(rule) for rule in rules] + missing


def templates_that_trigger(rule: DetectionRule) -> list[TemplateLink]:
    """The templates that upstreams link to a rule: those of the catalogue by name, then GUIDs that it does not have."""
    guids = list(rule.simulations.order_by("template_guid").values_list("template_guid", flat=True))
    linked = Q(external_id__in=guids) | Q(rule_links__file_name=rule.file_name)
    templates = list(TestTemplate.objects.without_texts().select_related("technique").filter(linked).distinct())
    found = {template.external_id for template in templates}
    return [TemplateLink(template) for template in templates] + [TemplateLink(None, g) for g in guids if g not in found]
