"""Asking for a scan of feeds, carrying it out, and what becomes of its row: one scan at a time, every feed for itself."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterable
from typing import Any, Final

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import KombuError

from aegis.accounts.models import User
from aegis.audit.recording import record
from imports.feeds.fetching import FeedWay
from imports.feeds.known import FEED_HOSTS
from imports.feeds.looking import Look, Task, look_at
from imports.feeds.pages import NO_PAGES, page_texts
from imports.feeds.rereading import is_stale, read_again
from imports.feeds.storing import Stored, Words, store_entries, unknown_links
from imports.life import is_alive, this_process
from imports.queueing import RING_AGAIN_AFTER
from imports.signals import intel_stored
from intel.models import Feed, FeedScan, IntelItem
from intel.vocabulary import mark, vocabulary

logger = logging.getLogger(__name__)
DOORBELL: Final = "imports.tasks.scan_feeds"
SECONDS: Final = 50.0
"""How long a scan waits for its feeds; with what it takes to store them it ends within a minute."""
PAGES_SECONDS: Final = 5.0
SAMPLES: Final = settings.BASE_DIR / "samples"

Status = FeedScan.Status


class ScanRunning(RuntimeError):
    """A scan is under way, so another one cannot start."""


def allowed_hosts() -> frozenset[str]:
    """The hosts from which feeds are fetched."""
    return FEED_HOSTS | {host.strip().lower() for host in settings.AEGIS_EXTRA_HOSTS}


def queue_scan(*, by: User | None, trigger: str, feed: Feed | None = None) -> FeedScan:
    """A queued scan that the next free worker carries out. Raises ScanRunning."""
    scan = request_scan(by=by, trigger=trigger, feed=feed, worker="")
    transaction.on_commit(lambda: _ring(scan))
    return scan


def ring_again() -> int:
    """Ring for scans that have waited for a while, in case their message was lost. Returns for how many."""
    now = timezone.now()
    early = Q(rung_at__lt=now - RING_AGAIN_AFTER) | Q(rung_at=None, created_at__lt=now - RING_AGAIN_AFTER)
    waiting = FeedScan.objects.filter(early, status=Status.QUEUED, worker="")
    rung = [scan for scan in waiting if waiting.filter(pk=scan.pk).update(rung_at=now)]
    for scan in rung:
        _ring(scan)
    return len(rung)


def _ring(scan: FeedScan) -> None:
    try:
        current_app.send_task(DOORBELL, [scan.pk])
    except (KombuError, OSError) as error:
        logger.warning("Feed scan %s waits: the broker cannot be reached (%s)", scan.pk, error)


def request_scan(
    *, by: User | None = None, trigger: str = "command", feed: Feed | None = None, worker: str | None = None
) -> FeedScan:
    """A queued scan, of one feed or of all enabled ones. Raises ScanRunning with what to do."""
    free_dead_scans()
    try:
        with transaction.atomic():
            return FeedScan.objects.create(
                requested_by=by, trigger=trigger, feed=feed, worker=this_process() if worker is None else worker
            )
    except IntegrityError as error:
        raise ScanRunning("The feeds are being scanned already: wait for that scan to end.") from error


def execute_scan(scan: FeedScan, *, mirror: str = "", seconds: float = SECONDS, only_due: bool = False) -> FeedScan:
    """Carry out a queued scan and return it, ended. `mirror` defaults to AEGIS_MIRROR. A feed that fails fails alone.

    A scan that another process has begun, or that has ended, is returned as it stands: a task may be delivered twice.
    """
    if not _begin(scan):
        scan.refresh_from_db()
        return scan
    way = FeedWay(mirror or settings.AEGIS_MIRROR, allowed_hosts())
    try:
        touched = _scan(scan, way, seconds, only_due=only_due)
        with transaction.atomic():
            intel_stored.send(sender=FeedScan, scan=scan, items=touched)
            _end(scan, Status.SUCCEEDED)
    except BaseException as error:
        _end(scan, Status.FAILED, f"internal error: {type(error).__name__}: {error}")
        raise
    return scan


def _begin(scan: FeedScan) -> bool:
    """Whether the scan is this process's from now on."""
    scan.status, scan.started_at, scan.worker = Status.RUNNING, timezone.now(), this_process()
    mine = {name: getattr(scan, name) for name in ("status", "started_at", "worker")}
    return FeedScan.objects.filter(pk=scan.pk, status=Status.QUEUED).update(**mine) == 1


def due_feeds() -> list[Feed]:
    """Feeds whose time has come."""
    return list(Feed.objects.due(timezone.now()))


def is_work_due() -> bool:
    """Whether there is anything for a scan by schedule: a feed, or items to look through for names that are new to us."""
    return bool(due_feeds()) or is_stale(mark())


def _scan(scan: FeedScan, way: FeedWay, seconds: float, *, only_due: bool) -> list[int]:
    begun, now = time.monotonic(), timezone.now()
    feeds = {feed.pk: feed for feed in _chosen(scan, only_due=only_due)}
    tasks = [Task(feed.pk, feed.kind, feed.url, feed.validators, feed.last_ok_at) for feed in feeds.values()]
    known = mark()  # first: what an import brings meanwhile is then read again
    words = Words(vocabulary().find, known)
    touched: list[int] = []
    for look in look_at(tasks, way, now, seconds):
        stored = _store(feeds[look.task.pk], look, way, words, begun + seconds + PAGES_SECONDS)
        touched += stored.touched
        scan.results.append(_result(feeds[look.task.pk], look, stored))
        for name in ("created", "updated", "unchanged"):
            setattr(scan, name, getattr(scan, name) + getattr(stored, name))
    again = read_again(words, now)
    scan.reread = len(again)
    return [*touched, *again]


def _chosen(scan: FeedScan, *, only_due: bool) -> Iterable[Feed]:
    if scan.feed is not None:
        return [scan.feed]
    return due_feeds() if only_due else Feed.objects.kept().filter(enabled=True)


def _store(feed: Feed, look: Look, way: FeedWay, words: Words, deadline: float) -> Stored:
    """What became of one feed's entries; a feed whose entries the database refuses fails alone too."""
    now = timezone.now()
    if look.failure:
        feed.note_failure(look.failure, now)
        return Stored()
    try:
        with transaction.atomic():
            stored = _stored(feed, look, way, words, deadline)
            feed.note_success({**look.validators}, now)
    except DatabaseError as error:
        feed.refresh_from_db()
        feed.note_failure(f"{feed.url}: its items could not be stored ({type(error).__name__}).", now)
        return Stored()
    return stored


def _stored(feed: Feed, look: Look, way: FeedWay, words: Words, deadline: float) -> Stored:
    if look.reading is None:
        return Stored()
    is_sample = str(SAMPLES) in look.origin
    if feed.is_sample and not is_sample:
        IntelItem.objects.filter(feed=feed).delete()
    feed.is_sample = is_sample
    feed.save(update_fields=["is_sample"])
    entries = look.reading.entries
    pages = page_texts(unknown_links(feed, entries), way, deadline) if feed.fetch_pages else NO_PAGES
    stored = store_entries(feed, entries, words, timezone.now(), pages.texts)
    stored.issues += pages.issues
    return stored


def _result(feed: Feed, look: Look, stored: Stored) -> dict[str, Any]:
    reading = look.reading
    status = "failed" if feed.last_error else "succeeded" if reading else "not_modified"
    issues = [*reading.issues, *stored.issues] if reading else []
    counts = {name: getattr(stored, name) for name in ("created", "updated", "unchanged", "quiet")}
    told = {"feed": feed.pk, "name": feed.name, "status": status, "found": len(reading.entries) if reading else 0}
    return {**told, **counts, "seconds": look.seconds, "message": feed.last_error, "issues": issues[:20]}


@transaction.atomic
def _end(scan: FeedScan, status: FeedScan.Status, error: str = "") -> None:
    scan.status, scan.error, scan.is_active, scan.finished_at = status, error[:4000], False, timezone.now()
    scan.save()
    record(scan.requested_by, f"scan.{status}", scan, after=summary(scan))


def summary(scan: FeedScan) -> dict[str, Any]:
    """The scan as the audit trail and `scan_intel --json` tell it."""
    counts = {
        name: getattr(scan, name) for name in ("created", "updated", "unchanged", "reread", "flagged", "held_back")
    }
    return {"status": scan.status, "trigger": scan.trigger, **counts, "feeds": scan.results, "error": scan.error}


def free_dead_scans() -> None:
    """Mark active scans whose process is gone as abandoned, so that another one can start."""
    for scan in FeedScan.objects.filter(is_active=True):
        if _is_dead(scan):
            process = f"the process {scan.worker} ended, or was not heard of for long"
            _end(scan, Status.ABANDONED, f"abandoned: {process if scan.worker else 'no worker began it'}")


def _is_dead(scan: FeedScan) -> bool:
    host, _, pid = scan.worker.rpartition(":")
    is_here = host == socket.gethostname() and pid.isdigit()
    return scan.is_silent or (is_here and not is_alive(int(pid)))
