"""What the filter bars of pages and the query strings of the API share: one FilterSet serves both."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import django_filters
from django import forms
from django.db.models import QuerySet
from django.utils.choices import BaseChoiceIterator
from drf_spectacular.utils import extend_schema_field

from aegis.lib.days import first_moment, last_moment

LONGEST: Final = 200
"""Characters that a filter's value may have."""

Choices = Iterable[tuple[str, str]]


class YesNoField(forms.Field):
    """`true` or `false` (also 1 and 0), or None when nothing was said. Anything else is an error, never silently False."""

    default_error_messages = {"invalid": "Write true or false."}
    WORDS: Final = {"true": True, "1": True, "false": False, "0": False}

    def to_python(self, value: Any) -> bool | None:
        """Raises ValidationError for any other word."""
        if value in self.empty_values:
            return None
        word = str(value).lower()
        if word not in self.WORDS:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return self.WORDS[word]


@extend_schema_field({"type": "boolean"})
class YesNo(django_filters.BooleanFilter):
    """A flag. Give the field of the model, or a `method`."""

    field_class = YesNoField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        choices = [("", "Any"), ("true", "Yes"), ("false", "No")]
        super().__init__(*args, **{"widget": forms.Select(choices=choices)} | kwargs)


@extend_schema_field({"type": "string", "maxLength": LONGEST, "pattern": r"^[^\u0000]*$"})
class Text(django_filters.CharFilter):
    """Free text of at most `LONGEST` characters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"max_length": LONGEST} | kwargs)


class Since(django_filters.DateFilter):
    """Moments of a day (UTC) and later, found by the index of their column."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"lookup_expr": "gte"} | kwargs)

    def filter(self, qs: Any, value: Any) -> Any:
        """The rows since the day begins; all of them without one."""
        return super().filter(qs, first_moment(value) if value else value)


class Until(django_filters.DateFilter):
    """Moments of a day (UTC) and earlier, found by the index of their column."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"lookup_expr": "lte"} | kwargs)

    def filter(self, qs: Any, value: Any) -> Any:
        """The rows until the day ends; all of them without one."""
        return super().filter(qs, last_moment(value) if value else value)


class ListedField(forms.CharField):
    """Text that a page offers in a select, which knows no length."""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """No attributes."""
        return {}


class Offered(BaseChoiceIterator):
    """The choices of one select. Drawing asks for them several times, the database is asked once.

    Each form copies its widgets, and each copy asks for itself.
    """

    def __init__(self, choices: Callable[[], Choices], any_label: str) -> None:
        self._choices = choices
        self._any = ("", any_label)
        self._rows: list[tuple[str, str]] | None = None

    def __copy__(self) -> "Offered":
        return Offered(self._choices, self._any[1])

    def __iter__(self) -> Iterator[tuple[str, str]]:
        self._rows = self._rows or [self._any, *self._choices()]
        return iter(self._rows)


class Listed(Text):
    """One of the values that the data have now. `choices` offers them in a page's select, with one query, when it is drawn.

    Any other value is no error: it finds nothing. Upstreams invent platforms and tactics faster than we release.
    """

    field_class = ListedField

    def __init__(self, *args: Any, choices: Callable[[], Choices], any_label: str = "Any", **kwargs: Any) -> None:
        super().__init__(*args, **{"widget": forms.Select(choices=Offered(choices, any_label))} | kwargs)


class Search(Text):
    """Text that the queryset's own `search` looks for."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"label": "Search", "widget": forms.TextInput(attrs={"type": "search"})} | kwargs)

    def filter(self, queryset: Any, value: str) -> Any:
        """The rows that hold `value`, all of them if it is empty."""
        return queryset.search(value) if value else queryset


def within(queryset: QuerySet[Any], rows: QuerySet[Any]) -> QuerySet[Any]:
    """The rows of `queryset` that are among `rows`, each once: `rows` may join at will without doubling anything."""
    return queryset.filter(pk__in=rows.order_by().values("pk"))


def distinct_values(queryset: QuerySet[Any], field: str) -> Choices:
    """The values of a text column, for a select."""
    values = queryset.exclude(**{field: ""}).order_by(field).values_list(field, flat=True).distinct()
    return [(value, value) for value in values]


def distinct_items(queryset: QuerySet[Any], field: str) -> Choices:
    """The texts in the lists of a JSON column, for a select."""
    lists = queryset.order_by().values_list(field, flat=True).distinct()
    return [(item, item) for item in sorted({item for items in lists for item in items}, key=str.lower)]
