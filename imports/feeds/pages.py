"""The texts of articles' own pages, for feeds that give a line of each: few, in little time, where robots.txt lets us."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from imports.feeds.fetching import PAGE_LIMITS, FeedWay
from imports.feeds.robots import may_fetch
from imports.feeds.text import lines, plain
from imports.fetchers import FetchError, Missing

MOST: Final = 10
"""Pages of one feed in one scan."""
_ARTICLE: Final = re.compile(r"<article\b[^>]*>(.*?)</article\s*>", re.DOTALL | re.IGNORECASE)
_BODY: Final = re.compile(r"<body\b[^>]*>(.*)", re.DOTALL | re.IGNORECASE)


class Pages(NamedTuple):
    """The texts by address, and in words what of the pages could not be had, each reason once."""

    texts: Mapping[str, str]
    issues: Sequence[str]


NO_PAGES: Final = Pages({}, ())


class NotHad(Exception):
    """A page may not be had; the message says why."""


def page_texts(urls: Sequence[str], way: FeedWay, deadline: float) -> Pages:
    """The texts of those pages that could be had before `deadline` (of the monotonic clock)."""
    rules: dict[str, bytes | FetchError] = {}
    pool = ThreadPoolExecutor(1, thread_name_prefix="page")
    try:
        futures = {url: pool.submit(_text, url, way, rules) for url in urls[:MOST]}
        wait(futures.values(), timeout=max(0.0, deadline - time.monotonic()))
        ended = {url: future for url, future in futures.items() if future.done() and not future.cancelled()}
        failed = {url: error for url, future in ended.items() if (error := future.exception())}
        texts = {url: future.result() for url, future in ended.items() if url not in failed}
        return Pages({url: text for url, text in texts.items() if text}, _issues(urls, len(ended), failed))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _issues(urls: Sequence[str], ended: int, failed: Mapping[str, BaseException]) -> list[str]:
    reasons = Counter(str(error) for error in failed.values())
    told = [f"{number} of the articles’ pages not fetched: {reason}" for reason, number in reasons.items()]
    if late := min(len(urls), MOST) - ended:
        told.append(f"{late} of the articles’ pages not fetched: they took too long")
    if len(urls) > MOST:
        told.append(f"{len(urls)} new articles: only the pages of the first {MOST} were fetched")
    return told


def article_text(html: str) -> str:
    """The text of a page: of its articles where it marks them, else of all its body."""
    articles = _ARTICLE.findall(html)
    whole = _BODY.search(html)
    return lines(plain("\n".join(articles) if articles else (whole[1] if whole else html)))


def _text(url: str, way: FeedWay, rules: dict[str, bytes | FetchError]) -> str:
    """The text of one page. Raises NotHad, FetchError."""
    if not may_fetch(_robots(url, way, rules), url):
        raise NotHad(f"{urlsplit(url).netloc} forbids it in its robots.txt")
    found = way.fetch(url, {}, PAGE_LIMITS)
    return article_text(found.data.decode("utf-8", "replace")) if found else ""


def _robots(url: str, way: FeedWay, rules: dict[str, bytes | FetchError]) -> bytes:
    """The rules of the page's host, empty if it has none. Raises FetchError if they cannot be had: then nothing is fetched."""
    host = urlsplit(url).netloc
    if host not in rules:
        rules[host] = _asked(f"https://{host}/robots.txt", way)
    answer = rules[host]
    if isinstance(answer, FetchError):
        raise answer
    return answer


def _asked(url: str, way: FeedWay) -> bytes | FetchError:
    try:
        found = way.fetch(url, {}, PAGE_LIMITS)
    except Missing:
        return b""
    except FetchError as error:
        return error
    return found.data if found else b""
