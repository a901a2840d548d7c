"""What a form's page remembers: the value that each field showed, beside the field."""

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def seen(field: BoundField) -> SafeString | str:
    """The hidden twin of a field, with the value that it showed; nothing for a field that is not remembered."""
    return field.as_hidden(only_initial=True) if field.field.show_hidden_initial else ""


@register.filter
def bare(field: BoundField) -> SafeString:
    """The field without its hidden twin."""
    return field.as_widget()
