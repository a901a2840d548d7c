"""Parts that the filter sets of several apps share."""

from typing import Any

from django_filters.widgets import BooleanWidget


class YesNo(BooleanWidget):
    """Any, yes, no: `BooleanFilter(label="Mapped", widget=YesNo)`.

    A box to tick would not do: left empty it cannot be told from "no", and the first visit would narrow the list.
    """

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.choices = [("", "Any"), ("true", "Yes"), ("false", "No")]
