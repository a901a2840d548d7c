"""Adding, changing and archiving feeds; the rows of those that Aegis brings along."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from imports.feeds.known import KNOWN
from imports.feeds.links import link
from imports.feeds.scan import allowed_hosts
from imports.fetchers import FetchError
from imports.fetchers.addresses import public_url
from intel.models import Feed

FIELDS: Final = ("name", "url", "kind", "enabled", "every_hours", "fetch_pages")


def describe_feeds() -> None:
    """A row for each known feed that has none yet. What an admin made of one, archived it included, stays."""
    there = set(Feed.objects.exclude(slug="").values_list("slug", flat=True))
    taken = set(Feed.objects.values_list("url", flat=True))
    Feed.objects.bulk_create(
        Feed(slug=one.slug, name=one.name, url=one.url, kind=one.kind, every_hours=one.every_hours)
        for one in KNOWN
        if one.slug not in there and one.url not in taken
    )


@transaction.atomic
def add_feed(fields: Mapping[str, Any]) -> Feed:
    """A new feed; one that was archived comes back. Raises ValidationError by field."""
    archived = Feed.objects.filter(url=fields.get("url", "")).exclude(archived_at=None).first()
    feed = archived or Feed()
    feed.archived_at = None
    return _saved(feed, fields)


@transaction.atomic
def edit_feed(feed: Feed, changes: Mapping[str, Any]) -> Feed:
    """The feed with these fields. Raises ValidationError by field."""
    row = Feed.objects.select_for_update().get(pk=feed.pk)
    if "url" in changes and changes["url"] != row.url:
        row.validators, row.due_at, row.failures, row.last_error = {}, None, 0, ""
    if changes.get("enabled") and not row.enabled:
        row.due_at = None
    return _saved(row, changes)


@transaction.atomic
def archive_feed(feed: Feed) -> Feed:
    """The feed, scanned no more; its items stay."""
    row = Feed.objects.select_for_update().get(pk=feed.pk)
    row.archived_at, row.enabled = row.archived_at or timezone.now(), False
    row.save()
    return row


@transaction.atomic
def restore_feed(feed: Feed) -> Feed:
    """The feed out of the archive, enabled. Raises ValidationError where nothing is fetched from its host any more."""
    row = Feed.objects.select_for_update().get(pk=feed.pk)
    row.archived_at, row.due_at = None, None
    return _saved(row, {"enabled": True})


def refusal(url: str) -> str:
    """Why nothing is fetched from an address, with what to do; empty if it may be."""
    try:
        public_url(url, allowed_hosts())
    except FetchError as error:
        return str(error)
    return ""


def twin(feed: Feed, url: str) -> str:
    """Which other feed has this address in another spelling, in words; empty if none has."""
    if (meant := link(url)) is None:
        return ""
    for other in Feed.objects.kept().exclude(pk=feed.pk):
        if (known := link(other.url)) and known.key == meant.key:
            return f"That is the address of {other.name}: {other.shown_url}"
    return ""


def _saved(feed: Feed, fields: Mapping[str, Any]) -> Feed:
    for name in FIELDS:
        if name in fields:
            setattr(feed, name, fields[name])
    feed.full_clean()
    if reason := refusal(feed.url) or ("url" in fields and twin(feed, feed.url)):
        raise ValidationError({"url": reason})
    feed.save()
    return feed
