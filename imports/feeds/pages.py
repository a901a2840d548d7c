"""The texts of articles' own pages, for feeds that give a line of each: few, in little time, where robots.txt lets us."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final
from urllib.parse import urlsplit

from imports.feeds.fetching import PAGE_LIMITS, FeedWay
from imports.feeds.robots import may_fetch
from imports.feeds.text import lines, plain
from imports.fetchers import FetchError, Missing

MOST: Final = 10
"""Pages of one feed in one scan."""
_ARTICLE: Final = re.compile(r"<article\b[^>]*>(.*?)</article\s*>", re.DOTALL | re.IGNORECASE)
_BODY: Final = re.compile(r"<body\b[^>]*>(.*)", re.DOTALL | re.IGNORECASE)


def page_texts(urls: Sequence[str], way: FeedWay, deadline: float) -> Mapping[str, str]:
    """The text by address, of those pages that could be had before `deadline` (of the monotonic clock)."""
    rules: dict[str, bytes | None] = {}
    pool = ThreadPoolExecutor(1, thread_name_prefix="page")
    try:
        futures = {url: pool.submit(_text, url, way, rules) for url in urls[:MOST]}
        wait(futures.values(), timeout=max(0.0, deadline - time.monotonic()))
        found = {url: future.result() for url, future in futures.items() if future.done() and not future.cancelled()}
        return {url: text for url, text in found.items() if text}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def article_text(html: str) -> str:
    """The text of a page: of its articles where it marks them, else of all its body."""
    articles = _ARTICLE.findall(html)
    whole = _BODY.search(html)
    return lines(plain("\n".join(articles) if articles else (whole[1] if whole else html)))


def _text(url: str, way: FeedWay, rules: dict[str, bytes | None]) -> str:
    """The text of one page, empty where it may not or cannot be had."""
    try:
        robots = _robots(url, way, rules)
        if robots is None or not may_fetch(robots, url):
            return ""
        found = way.fetch(url, {}, PAGE_LIMITS)
    except FetchError:
        return ""
    return article_text(found.data.decode("utf-8", "replace")) if found else ""


def _robots(url: str, way: FeedWay, rules: dict[str, bytes | None]) -> bytes | None:
    """The rules of the page's host: empty if it has none, None if they cannot be had, and then nothing is fetched there."""
    host = urlsplit(url).netloc
    if host not in rules:
        try:
            found = way.fetch(f"https://{host}/robots.txt", {}, PAGE_LIMITS)
            rules[host] = found.data if found else b""
        except Missing:
            rules[host] = b""
        except FetchError:
            rules[host] = None
    return rules[host]
