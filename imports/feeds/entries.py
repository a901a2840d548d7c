"""What a feed holds, as its reader hands it over: plain data, cleaned, and still without any judgement about time."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Unreadable(ValueError):
    """The bytes are no feed that can be read; the message says what they are instead, or what is wrong with them."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One article. Texts are plain; `url` is a public web address, empty where the feed gives none that may be a link.

    `guid` and `key` are what the article is recognised by: the feed's own name for it (empty if it has none), and its
    address without what varies. At least one is there. `published` and `updated` are as the feed tells them, in UTC.
    `notable` is False for what is only worth keeping if it names something that we know. `exploited` is since when a CVE is
    known to be exploited.
    """

    guid: str
    key: str
    url: str
    title: str
    summary: str
    published: datetime | None = None
    updated: datetime | None = None
    notable: bool = True
    exploited: datetime | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A feed's articles in its own order, its title, and what of it could not be used. `total` is what it announces."""

    title: str
    entries: list[Entry]
    issues: list[str]
    total: int = 0
