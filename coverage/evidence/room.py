"""How much evidence one person may give within 24 hours, so that nobody alone fills what all of them need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from math import ceil
from typing import Final

from django.conf import settings
from django.db.models import QuerySet, Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from aegis.accounts.models import User
from coverage.evidence.vault import TooLarge
from coverage.models import Evidence

WINDOW: Final = timedelta(hours=24)


class NoRoom(Exception):
    """Whoever gives has given too much of late; nothing of the file was kept. The message says when it fits."""

    def __init__(self, size: int, room: Room, again: datetime) -> None:
        self.size, self.room = size, room
        self.wait = max(1, ceil((again - timezone.now()).total_seconds()))
        minute = (again + timedelta(minutes=1)).replace(second=0, microsecond=0)
        super().__init__(
            f"You gave {in_words(room.used)} of evidence in the last 24 hours, and {in_words(room.limit)} is the limit: "
            f"there is room for {in_words(size)} more from {minute:%Y-%m-%d %H:%M} UTC on."
        )


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that somebody may give in 24 hours, and gave in the last 24."""

    limit: int
    used: int


def room_of(person: User) -> Room | None:
    """What they may give and gave; None where there is no limit."""
    limit: int = settings.EVIDENCE_DAILY_BYTES
    return Room(limit, _sum_of(_of_late(person))) if limit else None


def require_room(person: User, size: int) -> None:
    """Raises NoRoom if they gave so much that `size` bytes do not fit now, TooLarge if so many never do.

    It holds for as long as the person's row is locked.
    """
    room = room_of(person)
    if room is None or room.used + size <= room.limit:
        return
    if size > room.limit:
        raise TooLarge(
            f"{in_words(size)} are more than one person may give as evidence in 24 hours, which is {in_words(room.limit)}."
        )
    raise NoRoom(size, room, _room_again(person, room.used + size - room.limit))


def in_words(size: int) -> str:
    """A number of bytes for people, rounded."""
    return filesizeformat(size).replace("\N{NO-BREAK SPACE}", " ")


def _of_late(person: User) -> QuerySet[Evidence]:
    return Evidence.objects.filter(uploaded_by=person, uploaded_at__gt=timezone.now() - WINDOW)


def _sum_of(rows: QuerySet[Evidence]) -> int:
    return int(rows.aggregate(total=Sum("size"))["total"] or 0)


def _room_again(person: User, missing: int) -> datetime:
    """When so many bytes of what they gave are older than the window."""
    rows = list(_of_late(person).order_by("uploaded_at").values_list("uploaded_at", "size"))
    freed = accumulate(size for _, size in rows)
    enough = next((at for (at, _), so_far in zip(rows, freed, strict=True) if so_far >= missing), None)
    return enough + WINDOW if enough else timezone.now()
