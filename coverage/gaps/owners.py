"""Who may own gaps, what somebody owns, and which gaps are whose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from aegis.accounts.models import User
from aegis.accounts.policy import ACTIONS
from catalog.models import Technique
from coverage.gaps.query import GapForm
from coverage.gaps.ranking import Gap
from coverage.models import GapAssignment

MINE: Final = "me"
NOBODY: Final = "none"
EXACTLY: Final = "="
"""Before a user name that is one of these words; no user name begins with it."""
LONGEST_NAME: Final = 150
EARLIER: Final = 20
"""Former owners that the page of a technique lists."""


class OwnedGapForm(GapForm):
    """The address of the ranking with `owner`: `me`, `none`, or a user name; `=me` is the user who is called so."""

    owner = forms.CharField(
        required=False, max_length=LONGEST_NAME, label="Owner", widget=forms.Select(attrs={"class": "select"})
    )

    def clean_owner(self) -> str:
        """The word. Raises ValidationError for a name that nobody has."""
        owner: str = self.cleaned_data["owner"]
        name = owner.removeprefix(EXACTLY)
        if owner and owner not in {MINE, NOBODY} and not User.objects.filter(username=name).exists():
            raise ValidationError(f"There is no user {name}: write {MINE}, {NOBODY} or a user name.")
        return owner

    @property
    def asked_owner(self) -> str:
        """What was asked for; empty for nothing, and for what is wrong."""
        self.is_valid()
        return str(self.cleaned_data.get("owner", ""))

    def offer(self, gaps: Iterable[Gap]) -> None:
        """Let the field offer everybody who owns one of these gaps."""
        names = {gap.owner.username: gap.owner.named for gap in gaps if gap.owner}
        if (asked := self.asked_owner) and asked not in {MINE, NOBODY}:
            names.setdefault(asked.removeprefix(EXACTLY), asked.removeprefix(EXACTLY))
        people = [
            (f"{EXACTLY}{name}" if name in {MINE, NOBODY} else name, shown)
            for name, shown in sorted(names.items(), key=lambda pair: pair[0].casefold())
        ]
        select: forms.Select = self.fields["owner"].widget
        select.choices = [("", "Any"), (MINE, "Me"), (NOBODY, "Nobody yet"), *people]


def owned_by(gaps: Iterable[Gap], owner: str, visitor: User) -> list[Gap]:
    """The gaps of `owner` as `OwnedGapForm` reads it, all if it is empty; each keeps its rank."""
    if not owner:
        return list(gaps)
    if owner == NOBODY:
        return [gap for gap in gaps if gap.owner is None]
    name = visitor.username if owner == MINE else owner.removeprefix(EXACTLY)
    return [gap for gap in gaps if gap.owner is not None and gap.owner.username == name]


def possible_owners() -> QuerySet[User]:
    """Those who may be given a gap, by name."""
    return User.objects.filter(is_active=True, role__in=ACTIONS["gap.own"]).order_by("username")


def assignments_of(technique: Technique) -> list[GapAssignment]:
    """The standing assignment of a technique and the latest ones before it, the newest first. One query."""
    rows = GapAssignment.objects.filter(technique=technique).select_related("owner", "assigned_by", "ended_by")
    return list(rows.order_by("-pk")[: EARLIER + 1])
