"""Template tags of every page; a builtin, so no template loads it."""

from django import template

register = template.Library()
