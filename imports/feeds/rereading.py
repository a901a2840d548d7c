"""Items that were looked through for other names than the catalogue has now: an import brought some, or took some away."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet

from imports.feeds.storing import Words, mentions
from intel.models import IntelItem, Mention

MOST: Final = 2_000
"""Items of one scan, the newest first; the next scan goes on with the others."""
IN_THE_NEWS: Final = timedelta(days=30)
"""What is older is marked all the same, and flags no technique: it is not in the news any more."""
_TOLD: Final = ("kind", "key", "start", "end", "confidence", "reason")


def is_stale(mark: str) -> bool:
    """Whether there are items that were not looked through for the names that `mark` stands for."""
    return _stale(mark).exists()


@transaction.atomic
def read_again(words: Words, now: datetime) -> list[int]:
    """Look through stale items again. Returns those that name something else since and are in the news."""
    items = list(_stale(words.mark).prefetch_related("mentions")[:MOST])
    changed = [item for item in items if _differs(item, words)]
    Mention.objects.filter(item__in=changed).delete()
    Mention.objects.bulk_create(one for item in changed for one in mentions(item, words.find(item.text)))
    IntelItem.objects.filter(pk__in=[item.pk for item in items]).update(read_with=words.mark)
    return [item.pk for item in changed if item.at > now - IN_THE_NEWS]


def _stale(mark: str) -> QuerySet[IntelItem]:
    return IntelItem.objects.exclude(read_with=mark)


def _differs(item: IntelItem, words: Words) -> bool:
    return _told(item.mentions.all()) != _told(mentions(item, words.find(item.text)))


def _told(found: Iterable[Mention]) -> set[tuple[Any, ...]]:
    return {tuple(getattr(one, name) for name in _TOLD) for one in found}
