"""How long ago the active techniques were last proven, in buckets: a proof ages, because what it tested has moved on."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from coverage.figures.standing import Standing

AGES: Final = {
    "30": "30 days or less",
    "90": "31 to 90 days",
    "180": "91 to 180 days",
    "365": "181 to 365 days",
    "older": "over a year",
    "never": "never proven",
}
"""Bucket -> its label; each starts where the one before ends."""

DAYS: Final = tuple(int(bucket) for bucket in AGES if bucket.isdecimal())


def age_of(proven_at: datetime | None, now: datetime) -> str:
    """The bucket of a technique that was last proven at that time, or never."""
    if proven_at is None:
        return "never"
    return next((str(days) for days in DAYS if proven_at > now - timedelta(days=days)), "older")


def proof_ages(standing: Standing, now: datetime | None = None) -> dict[str, int]:
    """How many active techniques are in each bucket; nought too. A proof that tests have since taken back counts as never."""
    now = now or timezone.now()
    counted = Counter(age_of(known.proven_at if known.proven else None, now) for known in standing.techniques.values())
    return {bucket: counted[bucket] for bucket in AGES}


def of_age(bucket: str, now: datetime) -> Q:
    """The condition that a technique is in a bucket; nothing is in one that does not exist."""
    proven = Q(coverage__proven=True, coverage__last_proven_at__isnull=False)
    if bucket == "never":
        return ~proven
    if bucket == "older":
        return proven & Q(coverage__last_proven_at__lte=now - timedelta(days=DAYS[-1]))
    if bucket not in AGES:
        return Q(pk__in=())
    place = DAYS.index(int(bucket))
    young = proven & Q(coverage__last_proven_at__gt=now - timedelta(days=DAYS[place]))
    return young & Q(coverage__last_proven_at__lte=now - timedelta(days=DAYS[place - 1])) if place else young
