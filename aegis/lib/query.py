"""The query string of the current page, and those of the links on it: state lives in the URL."""

from dataclasses import dataclass
from typing import Any, Self

from django.http import QueryDict
from django.template.context import Context


@dataclass(frozen=True, slots=True)
class QueryString:
    """What follows the question mark; never changed, only copied."""

    values: QueryDict

    @classmethod
    def of(cls, context: Context) -> Self:
        """The query string of the request that a template is rendered for; an empty one without a request."""
        request = context.get("request")
        return cls(request.GET if request else QueryDict())

    def value(self, name: str) -> str:
        """The last value of a name, empty if it has none."""
        return str(self.values.get(name, ""))

    def changed(self, **changes: Any) -> str:
        """`?...` with each name set to its new value (a list: to several); None and "" take the name away."""
        copy = self._first_page(keep="page" in changes)
        for name, value in changes.items():
            several = value if isinstance(value, list | tuple) else [value]
            copy.setlist(name, [str(one) for one in several if one not in {None, ""}])
        return "?" + copy.urlencode()

    def without(self, name: str, value: str = "") -> str:
        """`?...` without one value of a name, or without the name."""
        copy = self._first_page(keep=False)
        copy.setlist(name, [one for one in copy.getlist(name) if value and one != value])
        return "?" + copy.urlencode()

    def _first_page(self, *, keep: bool) -> QueryDict:
        copy = self.values.copy()
        if not keep:
            copy.pop("page", None)
        return copy
