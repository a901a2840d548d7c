"""Tags for what every library page shows: techniques as they were named and found, sources by name, code in colours."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.dateformat import format as formatted
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from aegis.lib.templatetags.aegis import chip
from aegis.lib.upstreams import upstream
from catalog.models import Resolution, TechniqueReference, TestTemplate

register = template.Library()

NOT_FOUND = "Not in the ATT&CK release that Aegis holds, neither by itself nor through its successors"


@register.simple_tag
def technique_chip(reference: TechniqueReference) -> SafeString:
    """`{% technique_chip rule_technique %}`: the technique that a reference means, or the id that means none."""
    technique = reference.technique
    if technique is None:
        return chip(reference.published_id, "", "unresolved", NOT_FOUND)
    how = resolution(reference)
    title = f"{technique.name}, {how}" if how else technique.name
    return chip(technique.mitre_id, technique_url(technique.mitre_id), "id", title)


@register.simple_tag
def technique_chips(references: Sequence[TechniqueReference], most: int) -> SafeString:
    """`{% technique_chips rule.named 3 %}`: the first of them, and how many more there are."""
    rest = references[most:] if len(references) > most + 1 else []
    shown = [technique_chip(one) for one in references[: len(references) - len(rest)]]
    if rest:
        shown.append(chip(f"+{len(rest)}", title=", ".join(one.technique_id or one.published_id for one in rest)))
    return format_html_join("", "{}", ((one,) for one in shown))


@register.simple_tag
def technique_url(mitre_id: str) -> str:
    """The address of a technique's page; empty for an id that no address can hold."""
    try:
        return reverse("coverage:technique", args=[mitre_id])
    except NoReverseMatch:
        return ""


@register.filter
def resolution(reference: TechniqueReference) -> str:
    """How the technique was found where its id is not the published one ("by crosswalk from T1685"), else empty."""
    ways = {Resolution.REVOKED_BY: "as successor of", Resolution.CROSSWALK: "by crosswalk from"}
    way = ways.get(Resolution(reference.resolution))
    return f"{way} {reference.published_id}" if way else ""


@register.filter
def published_day(text: str) -> str:
    """A day as upstreams publish it ("2026-01-31"), written as every other date here: "31 Jan 2026". Else as it stands."""
    try:
        return formatted(date.fromisoformat(text), "j M Y")
    except ValueError:
        return text


@register.filter
def source_name(slug: str) -> str:
    """The short name of a source: SigmaHQ."""
    return upstream(slug).name


@register.filter
def source_label(slug: str) -> str:
    """The full name of a source: SigmaHQ detection rules."""
    return upstream(slug).label


@register.filter
def source_license(slug: str) -> str:
    """The licence of a source, empty if it is not known."""
    return upstream(slug).license


@register.filter
def in_words(items: list[Any]) -> str:
    """A list as people write it: Linux, macOS and Windows."""
    texts = [str(item) for item in items]
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)


@register.filter
def executor_names(template: TestTemplate) -> str:
    """The executors of a template, each once."""
    return ", ".join(dict.fromkeys(str(executor["executor"]) for executor in template.executors))
