"""Charts of `coverage.charts`, drawn as SVG with their tables: `{% load charts %}`, `{% bars chart %}`, `{% lines chart %}`."""

from typing import Any, Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from coverage.charts.drawing import BarChart, LineChart, Mark

register = template.Library()

PATTERNS: Final = {"part": "p-diag", "template": "p-diag", "gap": "p-cross", "hatch": "p-hatch"}
"""Looks that are told apart by more than their hue."""

RECT: Final = (
    '<rect class="{}" data-row="{}" data-field="{}" data-value="{}" x="{}" width="{}" height="100%">'
    "<title>{}</title></rect>"
)
COVER: Final = '<rect fill="url(#{})" x="{}" width="{}" height="100%" pointer-events="none"/>'


@register.inclusion_tag("coverage/chart_bars.html")
def bars(chart: BarChart) -> dict[str, Any]:
    """A table with a bar in each row: picture and table in one."""
    return {"chart": chart}


@register.inclusion_tag("coverage/chart_bar.html")
def bar(chart: BarChart) -> dict[str, Any]:
    """One thick bar with its key, and its table folded below; for a chart of one row."""
    return {"chart": chart, "only": chart.drawn[0]}


@register.inclusion_tag("coverage/chart_lines.html")
def lines(chart: LineChart) -> dict[str, Any]:
    """Lines over time, and their table folded below."""
    return {"chart": chart, "moments": chart.newest_first}


@register.simple_tag
def rect(mark: Mark) -> SafeString:
    """A mark, with its pattern above it."""
    drawn = format_html(
        RECT,
        f"f-{mark.series.look}",
        mark.row,
        mark.series.field,
        mark.value,
        mark.x,
        mark.width,
        f"{mark.series.label}: {mark.text}",
    )
    pattern = PATTERNS.get(mark.series.look)
    return drawn + format_html(COVER, pattern, mark.x, mark.width) if pattern else drawn


@register.simple_tag
def swatch(look: str) -> SafeString:
    """The look of a series in a key."""
    pattern = PATTERNS.get(look)
    cover = format_html('<rect fill="url(#{})" width="12" height="12"/>', pattern) if pattern else ""
    return format_html(
        '<svg viewBox="0 0 12 12" aria-hidden="true"><rect class="f-{}" width="12" height="12"/>{}</svg>', look, cover
    )
