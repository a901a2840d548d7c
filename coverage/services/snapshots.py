"""The daily snapshot of coverage: taken again on the same day, it brings the day's rows up to date."""

from django.db import transaction
from django.utils import timezone

from coverage.figures.standing import FIGURES, Standing
from coverage.models import CoverageSnapshot

RENEWED = ("release", "taken_at", *FIGURES)


@transaction.atomic
def take_snapshot() -> list[CoverageSnapshot]:
    """The rows of today (in UTC): all techniques first, then each tactic. None before the first import of ATT&CK.

    Four queries.
    """
    standing, now = Standing.now(), timezone.now()
    if not standing.techniques:
        return []
    rows = [
        CoverageSnapshot(day=now.date(), tactic=figures.key, release=standing.release, taken_at=now, **figures.counts)
        for figures in (standing.whole, *standing.by_tactic)
    ]
    return CoverageSnapshot.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=("tactic", "day"), update_fields=RENEWED
    )
