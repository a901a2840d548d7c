"""Template filters for times and outcomes of tests: `{% load spans %}`."""

from datetime import timedelta

from django import template

register = template.Library()


@register.filter
def clock(span: timedelta | None) -> str:
    """`{{ test.time_to_detect|clock }}`: 0:51, 1:02:03, 2 d 3:04:05; a dash where the time is unknown."""
    if span is None:
        return "–"
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours}:{minutes:02}:{seconds:02}"
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
