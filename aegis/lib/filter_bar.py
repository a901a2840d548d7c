"""Which filters a page draws: a FilterSet knows more of them than a person wants to see."""

import django_filters
from django import forms


def drawn(filterset: django_filters.FilterSet, *names: str) -> django_filters.FilterSet:
    """`filterset` with only `names` in its bar, and whatever else the query string has set: nothing narrows unseen."""
    form = filterset.form
    for name, field in form.fields.items():
        if name not in names and not form.data.get(form.add_prefix(name)):
            field.widget = forms.HiddenInput()
    return filterset
