"""From entries to items: each article once, by its address or by its feed's name for it, with what it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec
from django.db.models import Q

from imports.feeds.entries import Entry
from intel.mentions import CONFIDENT
from intel.mentions import Mention as Found
from intel.models import Feed, IntelItem, Mention


class Words(NamedTuple):
    """What finds mentions in a text, and the mark of the names that it looks for."""

    find: Callable[[str], list[Found]]
    mark: str


MOST_MENTIONS: Final = 300
AHEAD: Final = timedelta(days=1)
"""Clocks of publishers differ: what is dated later than this was not published then."""


@dataclass
class Stored:
    """What became of entries. `quiet` ones were not kept: nothing in them is of note. `touched` are new or changed items.

    `issues` tell what else there is to say of them.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    quiet: int = 0
    touched: list[int] = field(default_factory=list)
    issues: list[str] = field(default_factory=list)


class Shelf:
    """The items that a feed's entries may be, found with one query."""

    def __init__(self, feed: Feed, entries: Sequence[Entry]) -> None:
        keys = {entry.key for entry in entries if entry.key}
        guids = {entry.guid for entry in entries if entry.guid}
        found = list(IntelItem.objects.filter(Q(key__in=keys) | Q(feed=feed, guid__in=guids)))
        self._by_key = {item.key: item for item in found if item.key}
        self._by_guid = {item.guid: item for item in found if item.guid and item.feed_id == feed.pk}

    def item(self, entry: Entry) -> IntelItem | None:
        """The item that the entry is about, None if it is new."""
        return self._by_key.get(entry.key) or self._by_guid.get(entry.guid)

    def free_guid(self, entry: Entry, item: IntelItem | None) -> str:
        """The entry's guid, empty where another item has it already."""
        owner = self._by_guid.get(entry.guid)
        return entry.guid if owner is None or owner is item else ""

    def keep(self, item: IntelItem) -> None:
        """Know a new item from now on."""
        if item.key:
            self._by_key[item.key] = item
        if item.guid:
            self._by_guid[item.guid] = item


def unknown_links(feed: Feed, entries: Sequence[Entry]) -> list[str]:
    """The addresses of entries that are not stored yet, in the feed's order."""
    shelf = Shelf(feed, entries)
    return [entry.url for entry in entries if entry.url and shelf.item(entry) is None]


def store_entries(
    feed: Feed, entries: Sequence[Entry], words: Words, now: datetime, bodies: Mapping[str, str] | None = None
) -> Stored:
    """Create and update the items of one feed, in the caller's transaction. `bodies` are texts of pages by address."""
    work = _Work(feed, Shelf(feed, entries), words, now)
    for entry in entries:
        item = work.shelf.item(entry)
        if item is None:
            work.create(entry, (bodies or {}).get(entry.url, ""))
        elif item.feed_id == feed.pk and item.content_hash != _hash(entry):
            work.update(item, entry)
        else:
            work.stored.unchanged += 1
    return work.stored


@dataclass
class _Work:
    """The items of one feed, as they are stored one by one."""

    feed: Feed
    shelf: Shelf
    words: Words
    now: datetime
    stored: Stored = field(default_factory=Stored)

    def create(self, entry: Entry, body: str) -> None:
        """A new item, unless there is nothing of note in it."""
        item = IntelItem(feed=self.feed, first_seen_at=self.now, body=body, guid=self.shelf.free_guid(entry, None))
        _fill(item, entry, self.now)
        found = self.words.find(item.text)
        if not entry.notable and not any(one.kind != "cve" and one.confidence >= CONFIDENT for one in found):
            self.stored.quiet += 1
            return
        self._save(item, found)
        self.stored.created += 1

    def update(self, item: IntelItem, entry: Entry) -> None:
        """What the feed says of an item by now."""
        item.guid = self.shelf.free_guid(entry, item) or item.guid
        _fill(item, entry, self.now)
        self._save(item, self.words.find(item.text))
        self.stored.updated += 1

    def _save(self, item: IntelItem, found: list[Found]) -> None:
        item.read_with = self.words.mark
        item.save()
        self.shelf.keep(item)
        item.mentions.all().delete()
        Mention.objects.bulk_create(mentions(item, found))
        self.stored.touched.append(item.pk)


def _fill(item: IntelItem, entry: Entry, now: datetime) -> None:
    published = entry.published or entry.updated
    item.key, item.url, item.title, item.summary = entry.key, entry.url, entry.title, entry.summary
    item.published_at = published if published and published <= now + AHEAD else None
    item.revised_at = entry.updated if entry.updated and entry.updated <= now + AHEAD else None
    item.at = min(max(filter(None, (item.published_at, entry.exploited)), default=now), item.first_seen_at)
    item.changed_at, item.content_hash = now, _hash(entry)


def _hash(entry: Entry) -> str:
    told: list[Any] = [entry.key, entry.url, entry.title, entry.summary, entry.published, entry.updated]
    return sha256(msgspec.json.encode(told)).hexdigest()


def mentions(item: IntelItem, found: Iterable[Found]) -> list[Mention]:
    """Rows for what was found in an item's text."""
    text = item.text
    return [
        Mention(
            item=item,
            kind=one.kind,
            key=one.key,
            text=one.text[:500],
            start=one.start,
            end=one.end,
            sentence=text[slice(*one.sentence)],
            confidence=one.confidence,
            reason=one.reason[:500],
            confident=one.confidence >= CONFIDENT,
        )
        for one in list(found)[:MOST_MENTIONS]
    ]
