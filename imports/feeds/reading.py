"""RSS 0.9 to 2.0 and Atom 1.0 as entries, from bytes alone: nothing named in a feed is ever opened.

feedparser reads the structure. It is given a stream (a text that looks like a path or an address would be opened), and neither
its cleaning of HTML nor its idea of an address is relied on.
"""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import feedparser
import msgspec

from imports.feeds.decoding import MOST_ENTRIES, harmless_xml
from imports.feeds.entries import Entry, Reading, Unreadable
from imports.feeds.links import link
from imports.feeds.text import lines, one_line, plain

LONGEST_GUID: Final = 500
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})


def read_feed(data: bytes, address: str = "") -> Reading:
    """The articles of a feed that stands at `address`. Raises Unreadable with the reason in words."""
    text, total = harmless_xml(data)
    parsed = feedparser.parse(io.BytesIO(text.encode("utf-8")), sanitize_html=False, resolve_relative_uris=False)
    if not parsed.entries and (total or parsed.get("bozo")):
        reason = one_line(str(parsed.get("bozo_exception") or "no entry can be made out"), 200)
        raise Unreadable(f"it is damaged: {reason}")
    issues: list[str] = []
    is_atom = str(parsed.get("version")).startswith("atom")
    found = [
        entry
        for number, raw in enumerate(parsed.entries, 1)
        if (entry := _entry(raw, address, number, issues, is_atom=is_atom))
    ]
    if total > MOST_ENTRIES:
        issues.append(f"{total:,} entries: only the first {MOST_ENTRIES:,} were read")
    return Reading(title=_text(parsed.feed, "title", is_atom), entries=_distinct(found), issues=issues, total=total)


def _entry(raw: Any, address: str, number: int, issues: list[str], *, is_atom: bool) -> Entry | None:
    title, summary = _text(raw, "title", is_atom), _body(raw)
    if not title and not summary:
        issues.append(f"entry {number} has neither a title nor a text: left out")
        return None
    told = "" if _is_no_address(raw) else _word(raw.get("link"))
    where = link(told, address)
    if where is None and told:
        issues.append(f"entry {number} ({title[:60]}) leads to no public web address: kept without its link")
    return Entry(
        guid=one_line(_word(raw.get("id")), LONGEST_GUID) or ("" if where else _fingerprint(title, summary)),
        key=where.key if where else "",
        url=where.url if where else "",
        title=title or one_line(summary, 120),
        summary=summary,
        published=_moment(raw.get("published_parsed") or raw.get("created_parsed")) or _written(raw.get("published")),
        # Its own get would pass `published` off for it.
        updated=_moment(dict.get(raw, "updated_parsed")) or _written(dict.get(raw, "updated")),
    )


def _is_no_address(raw: Any) -> bool:
    """Whether the link is only a guid, which feedparser takes for an address unless the feed says otherwise."""
    return raw.get("link") == raw.get("id") and not _word(raw.get("id")).lower().startswith(("http://", "https://"))


def _distinct(entries: Iterable[Entry]) -> list[Entry]:
    """The entries, each address once (the first), and no guid that the feed gives to several addresses."""
    by_key: dict[str, Entry] = {}
    for entry in entries:
        by_key.setdefault(entry.key or f"guid {entry.guid}", entry)
    used = Counter(entry.guid for entry in by_key.values())
    return [
        msgspec.structs.replace(entry, guid="") if used[entry.guid] > 1 and entry.key else entry
        for entry in by_key.values()
    ]


def _text(raw: Any, name: str, is_atom: bool) -> str:
    """A short text on one line: as it is where Atom says that it is plain, else without its markup.

    What kind of text RSS means nobody knows, and feedparser guesses.
    """
    detail = raw.get(f"{name}_detail") or {}
    value = _word(raw.get(name))
    return one_line(plain(value) if not is_atom or detail.get("type") in _HTML else value)


def _body(raw: Any) -> str:
    """The longest text that the feed gives of an article."""
    texts = [_word(content.get("value")) for content in raw.get("content") or [] if isinstance(content, dict)]
    return max((lines(plain(text)) for text in [_word(raw.get("summary")), *texts]), key=len)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _moment(parts: Any) -> datetime | None:
    """A time that feedparser read, in UTC; None for none, and for the years in which there were no feeds."""
    try:
        found = datetime(*parts[:6]).replace(tzinfo=UTC) if parts else None  # noqa: DTZ001  (UTC is said next)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found and found.year >= 1995 else None


def _written(date: Any) -> datetime | None:
    """A date of mails that feedparser does not read: without a zone, or with the name of the day in another language."""
    try:
        found = parsedate_to_datetime(_word(date))
        return _moment((found.astimezone(UTC) if found.tzinfo else found).timetuple())
    except (ValueError, OverflowError):
        return None


def _fingerprint(title: str, summary: str) -> str:
    return f"text:{hashlib.sha256(chr(10).join([title, summary]).encode()).hexdigest()[:40]}"
