"""What waits for a decision, and what was decided in the last days: tests, in figures that lists can show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from aegis.lib.days import first_moment
from coverage.models import Test
from coverage.testing.workflow import State

DAYS = 7
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Decisions:
    """Live tests: those in review (the first of them by how long they wait), and those decided since a day."""

    waiting: int
    first: tuple[Test, ...]
    validated: int
    rejected: int
    since: date


def decisions() -> Decisions:
    """What waits and what was decided. Two queries."""
    since = timezone.now().date() - timedelta(days=DAYS)
    recent = Q(decided_at__gte=first_moment(since))
    numbers = (
        Test.objects.live()
        .order_by()
        .aggregate(
            waiting=Count("pk", filter=Q(state=State.IN_REVIEW)),
            validated=Count("pk", filter=recent & Q(state=State.VALIDATED)),
            rejected=Count("pk", filter=recent & Q(state=State.REJECTED)),
        )
    )
    queue = Test.objects.live().filter(state=State.IN_REVIEW).without_texts().select_related("submitted_by")
    return Decisions(first=tuple(queue.order_by("submitted_at", "pk")[:SHOWN]), since=since, **numbers)
