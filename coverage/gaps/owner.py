"""Whose work a gap is, as every page, file and answer tells it."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from django.utils import timezone
from django.utils.dateformat import format as formatted


class Owner(NamedTuple):
    """A person by user name. `is_active` is False for somebody who was deactivated: the gap is theirs until a lead moves it."""

    username: str
    is_active: bool
    due_on: date | None = None
    note: str = ""

    @property
    def is_overdue(self) -> bool:
        """Whether the day has passed, in UTC."""
        return self.due_on is not None and self.due_on < timezone.now().date()

    @property
    def named(self) -> str:
        """The name, and what there is to know of the person: "maria (deactivated)"."""
        return self.username if self.is_active else f"{self.username} (deactivated)"

    @property
    def said(self) -> str:
        """The name and the day: "maria, due 3 Jan 2026"."""
        due = (
            f", {'overdue since' if self.is_overdue else 'due'} {formatted(self.due_on, 'j M Y')}"
            if self.due_on
            else ""
        )
        return f"{self.named}{due}"
