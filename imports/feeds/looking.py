"""Looking at feeds, all at once: each is fetched and read for itself, and within a time that no feed can stretch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from aegis.lib.door_keys import without_secrets
from imports.feeds import nvd
from imports.feeds.apart import SECONDS, read_apart
from imports.feeds.entries import Entry, Reading, Unreadable
from imports.feeds.fetching import FEED_LIMITS, NVD_LIMITS, FeedWay
from imports.fetchers import FetchError, Limits

SIDE_BY_SIDE: Final = 12
NVD_PAGES: Final = 3
NVD_REQUESTS: Final = 5
"""In one scan: without an API key NIST allows so many in half a minute."""
NVD_REFUSALS: Final = {403, 429}
NVD_LIMITED: Final = (
    "The NVD limits how often it answers whoever has no API key, to five requests in half a minute from one address, and"
    " refuses the others so: nothing is wrong with the feed, but other programs behind the same address may have asked too."
)
NVD_FIRST: Final = timedelta(days=7)
NVD_LONGEST: Final = timedelta(days=21)
"""A feed that was not read for longer begins so far back: a page of the NVD holds about as much."""
NVD_LATE: Final = timedelta(days=7)
"""What CISA knows to be exploited may take so long to stand in the NVD."""
CHANGES: Final = "changes"
"""The validator of the NVD: until when what became of older CVEs was asked for."""


@dataclass(frozen=True)
class Task:
    """One feed as the network sees it. `since` is when it was last read."""

    pk: int
    kind: str
    url: str
    validators: Mapping[str, str]
    since: datetime | None


@dataclass(frozen=True)
class Look:
    """What came of one feed. `reading` is None where nothing is new, or nothing could be read: then `failure` says why."""

    task: Task
    reading: Reading | None = None
    failure: str = ""
    origin: str = ""
    validators: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def look_at(tasks: Sequence[Task], way: FeedWay, now: datetime, seconds: float) -> list[Look]:
    """What came of each feed, in the order of `tasks`; those that have not ended after `seconds` are given up."""
    deadline = time.monotonic() + seconds
    pool = ThreadPoolExecutor(SIDE_BY_SIDE, thread_name_prefix="feed")
    try:
        futures = [pool.submit(_look, task, way, now, deadline) for task in tasks]
        wait(futures, timeout=seconds)
        return [_ended(task, future, seconds) for task, future in zip(tasks, futures, strict=True)]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _ended(task: Task, future: Future[Look], seconds: float) -> Look:
    if future.done():
        return future.result()
    return Look(task, failure=f"not read within {seconds:g} seconds: given up", seconds=seconds)


def _look(task: Task, way: FeedWay, now: datetime, deadline: float) -> Look:
    begun = time.monotonic()
    try:
        look = _nvd(task, way, now, deadline) if task.kind == "nvd" else _rss(task, way, deadline)
    except FetchError as error:
        look = Look(task, failure=without_secrets(str(error)))
    except Unreadable as error:
        look = Look(task, failure=without_secrets(f"{task.url}: {error}."))
    return replace(look, seconds=round(time.monotonic() - begun, 2))


def _rss(task: Task, way: FeedWay, deadline: float) -> Look:
    found = way.fetch(task.url, task.validators, _within(FEED_LIMITS, deadline))
    if found is None:
        return Look(task, validators=task.validators)
    reading = read_apart("rss", found.data, task.url, seconds=_left(deadline, SECONDS))
    return Look(task, reading, origin=found.origin, validators=found.validators)


def _nvd(task: Task, way: FeedWay, now: datetime, deadline: float) -> Look:
    start = max(task.since - timedelta(days=1), now - NVD_LONGEST) if task.since else now - NVD_FIRST
    pages: list[Reading] = []
    most = 1 if way.from_mirror else NVD_PAGES
    while not pages or (len(pages) < most and pages[-1].entries and pages[-1].total > len(pages) * nvd.PAGE):
        pages.append(_nvd_page(nvd.page_url(task.url, start, now, len(pages) * nvd.PAGE), task, way, deadline))
    issues = [issue for page in pages for issue in page.issues]
    if pages[-1].total > most * nvd.PAGE:
        issues.append(f"{pages[-1].total:,} CVEs: only the first {most * nvd.PAGE:,} were read")
    entries, validators = [entry for page in pages for entry in page.entries], task.validators
    if not way.from_mirror:
        try:
            entries += _nvd_changes(
                task, start, now, NVD_REQUESTS - len(pages), lambda url: _nvd_page(url, task, way, deadline)
            )
            validators = {CHANGES: now.isoformat()}
        except (FetchError, Unreadable) as error:
            issues.append(f"what became of older CVEs is asked for again: {without_secrets(str(error))}")
    reading = Reading(title="NVD", entries=entries, issues=issues)
    return Look(task, reading, origin=way.mirror or task.url, validators=validators)


def _nvd_page(url: str, task: Task, way: FeedWay, deadline: float) -> Reading:
    try:
        found = way.fetch(url, {}, _within(NVD_LIMITS, deadline))
    except FetchError as error:
        if error.status in NVD_REFUSALS and not way.from_mirror:
            raise FetchError(f"{error} {NVD_LIMITED}", error.status) from error
        raise
    assert found is not None, "nothing was compared"  # noqa: S101
    return read_apart("nvd", found.data, task.url, seconds=_left(deadline, SECONDS))


def _nvd_changes(
    task: Task, start: datetime, now: datetime, most: int, page: Callable[[str], Reading]
) -> Iterator[Entry]:
    """What CVEs published before `start` became since this was last asked: exploited, or critical. Nothing the first time.

    Raises FetchError, Unreadable.
    """
    if task.since is None:
        return
    asked = task.validators.get(CHANGES)
    since = max(datetime.fromisoformat(asked) - timedelta(days=1), now - nvd.OLDER) if asked else start
    for url in nvd.change_urls(task.url, start, since, now)[:most]:
        yield from (one for one in page(url).entries if one.notable and _is_news(one, start, since))


def _is_news(entry: Entry, start: datetime, since: datetime) -> bool:
    """Whether it is exploited only since about then, or was published not long before."""
    if entry.exploited and entry.exploited >= since - NVD_LATE:
        return True
    return entry.published is not None and entry.published >= start - nvd.OLDER


def _within(limits: Limits, deadline: float) -> Limits:
    return replace(limits, total=_left(deadline, limits.total))


def _left(deadline: float, most: float) -> float:
    return max(0.5, min(most, deadline - time.monotonic()))
