"""The feeds that Aegis brings along. Their hosts may be fetched from; further ones are allowed by AEGIS_EXTRA_HOSTS."""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

DAY: Final = 24
WEEK: Final = 168


class KnownFeed(NamedTuple):
    """One feed as it comes along; what an admin changes in its row stays changed.

    Those of news hold the articles of some days, and what is in them should be known within one.
    """

    slug: str
    name: str
    url: str
    kind: str = "rss"
    every_hours: int = DAY


KNOWN: Final = (
    KnownFeed("cisa", "CISA advisories", "https://www.cisa.gov/cybersecurity-advisories/all.xml"),
    # NIST switched its RSS off in 2023.
    KnownFeed("nvd", "NIST NVD", "https://services.nvd.nist.gov/rest/json/cves/2.0", kind="nvd", every_hours=WEEK),
    KnownFeed("sans-isc", "SANS ISC", "https://isc.sans.edu/rssfeed_full.xml"),
    KnownFeed("bleepingcomputer", "BleepingComputer", "https://www.bleepingcomputer.com/feed/"),
    KnownFeed("hacker-news", "The Hacker News", "https://feeds.feedburner.com/TheHackersNews"),
    KnownFeed("krebs", "Krebs on Security", "https://krebsonsecurity.com/feed/"),
)
PAGE_HOSTS: Final = frozenset({"thehackernews.com"})
"""Where the articles of a known feed stand that comes from another host."""
FEED_HOSTS: Final = frozenset(str(urlsplit(feed.url).hostname) for feed in KNOWN) | PAGE_HOSTS
