"""The period that a report is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from aegis.lib.days import first_moment, last_moment

USUAL: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Period:
    """Days in UTC, both ends included."""

    since: date
    until: date

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """The first moment of it, and the last."""
        return first_moment(self.since), last_moment(self.until)


class PeriodForm(forms.Form):
    """Reads `since` and `until`; without them the period is the last 90 days."""

    since = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label="To", widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        """The days, in order."""
        given = self.cleaned_data
        if given.get("since") and given.get("until") and given["since"] > given["until"]:
            raise ValidationError("The period ends before it starts.")
        return given

    @property
    def period(self) -> Period:
        """What was asked for; the usual period where that cannot be read."""
        given: dict[str, Any] = self.cleaned_data if self.is_valid() else {}
        until = given.get("until") or max(timezone.now().date(), given.get("since") or date.min)
        return Period(given.get("since") or _before(until), until)


def _before(day: date) -> date:
    return day - min(USUAL, day - date.min)
