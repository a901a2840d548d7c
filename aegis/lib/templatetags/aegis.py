"""Template tags of every page; a builtin, so no template loads it."""

import json
import re
from datetime import timedelta
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField, Form, TextInput
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegis.lib import durations, odd_characters
from aegis.lib.markdown import upstream_html
from aegis.lib.query import QueryString
from aegis.lib.words import NOTES, SEVERITIES
from aegis.lib.words import badge as badge_of

register = template.Library()

COMMIT = re.compile(r"[0-9a-f]{40}")


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """`{% icon "home" %}`, `{% icon "copy" "s" %}`: a glyph of static/img/icons.svg, hidden from readers of the screen."""
    return format_html(
        '<svg class="i{}" viewBox="0 0 16 16" aria-hidden="true"><use href="{}#i-{}"/></svg>',
        f" i--{size}" if size else "",
        static("img/icons.svg"),
        name,
    )


@register.filter
def duration(span: timedelta | float | None) -> str:
    """`{{ test.time_to_detect|duration }}`, `{{ run.seconds|duration }}`: how long it took, a dash where that is unknown."""
    return durations.duration(span)


@register.simple_tag
def badge(status: str, label: str = "") -> SafeString:
    """`{% badge technique.status %}`, `{% badge "failed" "3 failed" %}`: glyph, word and hue of a state."""
    shown = badge_of(status)
    glyph = icon(shown.icon) if shown.icon else ""
    plain = "" if shown.icon or shown.look in {"unknown", "untested"} else " badge--plain"
    return format_html('<span class="badge badge--{}{}">{}{}</span>', shown.look, plain, glyph, label or shown.label)


@register.simple_tag
def severity(level: str) -> SafeString:
    """`{% severity rule.severity %}`: four bars and the word; a dash where upstream gives none."""
    if level not in SEVERITIES:
        return format_html('<span class="zero">{}</span>', level or "–")
    rank = SEVERITIES.index(level)
    bars = format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="2.6" height="{}" rx=".5"/>',
        (("on" if bar < rank else "off", round(3.6 * bar, 1), 9 - 3 * bar, 3 + 3 * bar) for bar in range(4)),
    )
    return format_html(
        '<span class="sev sev--{}"><svg viewBox="0 0 14 12" aria-hidden="true">{}</svg>{}</span>',
        level,
        bars,
        level.capitalize(),
    )


@register.simple_tag
def chip(text: object, href: str = "", kind: str = "", title: str = "") -> SafeString:
    """`{% chip "T1059.001" url "id" name %}`: a small label, a link where `href` is given.

    Kinds: `id` (set in the code face), `unresolved` (an id that the current release does not know), or none.
    """
    look = {"": "", "unresolved": " chip--id chip--unresolved"}.get(kind, f" chip--{kind}")
    doubt = format_html('<span class="vh"> {}</span>?', kind) if kind == "unresolved" else ""
    tip = format_html(' title="{}"', title) if title else ""
    if href:
        return format_html('<a class="chip{}" href="{}"{}>{}{}</a>', look, href, tip, text, doubt)
    return format_html('<span class="chip{}"{}>{}{}</span>', look, tip, text, doubt)


@register.simple_tag(takes_context=True)
def query(context: RequestContext, **changes: Any) -> str:
    """`<a href="{% query platform="Linux" %}">`: the current query string with changes; None or "" takes a name away.

    The list starts at its first page again, unless `page` is what changes.
    """
    return QueryString.of(context).changed(**changes)


@register.simple_tag(takes_context=True)
def query_without(context: RequestContext, name: str, value: str = "") -> str:
    """`{% query_without "platform" "Linux" %}`: the current query string without that value of a name (or without all)."""
    return QueryString.of(context).without(name, value)


@register.inclusion_tag("shared/sort.html", takes_context=True)
def sort_header(context: RequestContext, field: str, label: str, css: str = "") -> dict[str, str]:
    """`{% sort_header "name" "Rule" %}`: a `<th>` that sorts by `?ordering=name`, and the other way round at the next click."""
    current = QueryString.of(context).value("ordering")
    direction = {field: "ascending", f"-{field}": "descending"}.get(current, "")
    target = f"-{field}" if direction == "ascending" else field
    return {"label": label, "css": css, "direction": direction, "url": query(context, ordering=target)}


@register.simple_tag
def page_numbers(page: Page[Any]) -> list[int | str]:
    """The page numbers to link, with "…" for those left out."""
    numbers = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return [number if isinstance(number, int) else str(number) for number in numbers]


@register.filter
def upstream_markdown(text: str) -> SafeString:
    """`{{ technique.description|upstream_markdown }}`: an upstream's text as safe HTML, for a `<div class="prose">`."""
    return upstream_html(text)


@register.filter
def code_parts(text: str) -> list[odd_characters.Part]:
    """The text of a code block in runs, with each hidden or misleading character on its own."""
    return list(odd_characters.parts(text))


@register.filter
def odd_count(parts: list[odd_characters.Part]) -> int:
    """How many of the parts are odd characters."""
    return sum(bool(part.odd) for part in parts)


@register.filter
def as_json(text: str) -> str:
    """`data-copy="{{ text|as_json }}"`: JSON in ASCII, so that every character survives the way through HTML."""
    return json.dumps(str(text))


@register.filter
def initials(user: Any) -> str:
    """Two letters for the avatar: of the first and last name, else of the user name."""
    letters = (user.first_name[:1] + user.last_name[:1]) or user.username[:2]
    return str(letters).upper()


@register.filter
def note_kind(level: str) -> str:
    """The look of a note for the level of a message."""
    return NOTES.get(level, NOTES["info"])[0]


@register.filter
def note_icon(level: str) -> str:
    """The glyph of a note for the level of a message."""
    return NOTES.get(level, NOTES["info"])[1]


@register.filter
def search_fields(form: Form) -> list[BoundField]:
    """The fields of a filter form that look for text."""
    return [field for field in form.visible_fields() if _looks_for_text(field)]


@register.filter
def choice_fields(form: Form) -> list[BoundField]:
    """The other fields of a filter form. Order is chosen in the head of the table, not here."""
    return [field for field in form.visible_fields() if field.name != "ordering" and not _looks_for_text(field)]


def _looks_for_text(field: BoundField) -> bool:
    return field.name == "search" or getattr(field.field.widget, "input_type", "") == "search"


@register.filter
def is_typed(field: BoundField) -> bool:
    """Whether the field is typed into, not chosen from."""
    return isinstance(field.field.widget, TextInput)


@register.filter
def is_web_address(url: str) -> bool:
    """Whether an address from outside may become a link: http and https only."""
    return url.startswith(("https://", "http://"))


@register.filter
def short_version(version: str) -> str:
    """A commit by its first eight digits; a release number as it is."""
    return version[:8] if COMMIT.fullmatch(version) else version
