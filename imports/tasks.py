"""What workers do for imports. A task is a doorbell: the row that it names says what is to be done, and whether it still is."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from celery import shared_task
from celery.signals import worker_ready
from django.db import connection
from django.dispatch import receiver

from aegis.lib.signals import process_lost
from imports.feeds import scan as feeds
from imports.feeds.scan import ScanRunning, execute_scan, free_dead_scans, is_work_due, request_scan
from imports.life import free_dead_runs
from imports.models import ImportRun
from imports.queueing import hear_worker, queue_import, ring_again
from imports.schedule import claim_tick
from imports.services import AlreadyRunning, execute
from intel.models import FeedScan

logger = logging.getLogger(__name__)


@shared_task
def run_import(run_id: int) -> None:
    """Carry out a queued run. Any other is left alone; one whose process was killed is marked as abandoned at once."""
    runs = ImportRun.objects.filter(pk=run_id)
    free_dead_runs(runs)
    for run in runs.filter(status=ImportRun.Status.QUEUED).select_related("source"):
        execute(run)


@receiver(process_lost)
def give_up(task: str, args: Sequence[Any], how: str, **_: Any) -> None:
    """The process of an import died: say so at once, and how. Runs in the worker's main process, which keeps no connection."""
    if task != run_import.name:
        return
    try:
        free_dead_runs(ImportRun.objects.filter(pk__in=args), how=how)
    finally:
        if not connection.in_atomic_block:
            connection.close()


@shared_task
def sync_on_schedule(slug: str) -> None:
    """Queue a run of a source whose time has come."""
    if not claim_tick(slug):
        return
    try:
        queue_import(slug, trigger="schedule")
    except AlreadyRunning as error:
        logger.info("Not synced on schedule: %s", error)


@shared_task
def scan_feeds(scan_id: int) -> None:
    """Carry out a queued scan; any other is left alone."""
    for scan in FeedScan.objects.filter(pk=scan_id, status=FeedScan.Status.QUEUED):
        execute_scan(scan)


@shared_task
def scan_due_feeds() -> None:
    """Scan the feeds whose time has come, and look through items for names that an import brought."""
    free_dead_scans()
    if not is_work_due():
        return
    try:
        execute_scan(request_scan(trigger="schedule"), only_due=True)
    except ScanRunning as error:
        logger.info("Feeds not scanned on schedule: %s", error)


@shared_task(bind=True)
def watch(self: Any) -> None:
    """Tell that a worker is there, free runs whose process is gone, and ring again for runs and scans that wait."""
    hear_worker(str(self.request.hostname or "in this process"))
    free_dead_runs()
    ring_again()
    feeds.ring_again()


@worker_ready.connect
def watch_at_once(**_: Any) -> None:
    """Look for what the last worker left behind as soon as the next one is ready."""
    watch.delay()
