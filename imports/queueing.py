"""Runs that wait for a worker: the row is the truth, the message is only a doorbell and may be lost or rung twice."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import uuid4

from celery import current_app
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from kombu.exceptions import KombuError

from aegis.accounts.models import User
from aegis.audit.recording import Subject, record
from aegis.lib.numbers import numbered
from imports.life import is_dead
from imports.models import DataSource, ImportRun, Worker
from imports.services import AlreadyRunning, UnknownSource, request_import

logger = logging.getLogger(__name__)
DOORBELL: Final = "imports.tasks.run_import"
WATCH: Final = "imports.tasks.watch"
"""The task that beat sends all the time: where it arrives there is a worker, and where it is sent there is beat."""

MISSING_AFTER: Final = timedelta(seconds=60)
"""Beat or a worker that was not heard of for so long is not there: each is heard of every 15 seconds."""

RING_AGAIN_AFTER: Final = timedelta(minutes=2)
LOOK_EVERY: Final = 0.1
LOOK_FOR_WORKER_EVERY: Final = 5.0
"""Seconds between two looks at the row of a run that somebody waits for."""


class SourceDisabled(RuntimeError):
    """The source is not to be synced until somebody enables it."""


@dataclass(frozen=True, slots=True)
class Machinery:
    """Whether what syncs sources is there. `waiting` counts runs that no worker has begun."""

    beat_at: datetime | None
    worker_at: datetime | None
    waiting: int

    @property
    def has_beat(self) -> bool:
        """Whether beat was heard of just now."""
        return _is_recent(self.beat_at)

    @property
    def has_worker(self) -> bool:
        """Whether a worker was heard of just now."""
        return _is_recent(self.worker_at)


class LeftOut(NamedTuple):
    """A source that was not queued with the others."""

    source: DataSource
    reason: str


class SyncAll(NamedTuple):
    """What became of asking for all sources."""

    queued: list[ImportRun]
    left_out: list[LeftOut]


def queue_import(slug: str, *, by: User | None = None, trigger: str, dry_run: bool = False) -> ImportRun:
    """A queued run that the next free worker carries out. Raises UnknownSource, AlreadyRunning or SourceDisabled."""
    if not dry_run and DataSource.objects.filter(slug=slug, enabled=False).exists():
        raise SourceDisabled(f"{slug} is disabled: enable it first, or ask for a preview, which writes nothing")
    run = request_import(slug, by=by, trigger=trigger, dry_run=dry_run)
    transaction.on_commit(lambda: ring(run))
    return run


@transaction.atomic
def queue_all(*, by: User, trigger: str) -> SyncAll:
    """A queued run of every enabled source that has none under way, and why the others were left out. It is on record."""
    queued: list[ImportRun] = []
    left_out: list[LeftOut] = []
    for source in DataSource.objects.all():
        try:
            queued.append(queue_import(source.slug, by=by, trigger=trigger))
        except AlreadyRunning:
            left_out.append(LeftOut(source, "a run is under way"))
        except SourceDisabled:
            left_out.append(LeftOut(source, "disabled"))
        except UnknownSource:
            left_out.append(LeftOut(source, "this version of Aegis does not read it"))
    after = {
        "queued": [run.source.slug for run in queued],
        "left_out": {one.source.slug: one.reason for one in left_out},
    }
    record(by, "source.sync_all_requested", Subject("imports.datasource", "", "all sources"), after=after)
    return SyncAll(queued, left_out)


def ring(run: ImportRun) -> None:
    """Tell the workers of a queued run. Where the broker cannot be reached, the run waits until `ring_again` finds it."""
    with numbered(run=run.pk, request=run.request_id):
        try:
            # Celery's own lines name the task by its id.
            current_app.send_task(DOORBELL, [run.pk], task_id=f"run-{run.pk}-{uuid4()}")
        except (KombuError, OSError) as error:
            logger.warning("Import run %s waits: the broker cannot be reached (%s)", run.pk, error)


def ring_again() -> int:
    """Ring for runs that have waited for a while, in case their message was lost. Returns for how many."""
    early = timezone.now() - RING_AGAIN_AFTER
    rung = 0
    for run in waiting_runs().filter(heartbeat_at__lt=early):
        if waiting_runs().filter(pk=run.pk, heartbeat_at=run.heartbeat_at).update(heartbeat_at=timezone.now()):
            ring(run)
            rung += 1
    return rung


def waiting_runs() -> QuerySet[ImportRun]:
    """Runs that no worker has begun."""
    return ImportRun.objects.filter(status=ImportRun.Status.QUEUED, worker="")


def hear_worker(name: str) -> None:
    """Note that a worker is there, and forget those that were not heard of for a day."""
    now = timezone.now()
    Worker.objects.update_or_create(name=name[:255], defaults={"heard_at": now})
    Worker.objects.filter(heard_at__lt=now - timedelta(days=1)).delete()


def machinery() -> Machinery:
    """Whether beat and a worker are there. A worker that is busy with an import is one too. Three queries."""
    beat = PeriodicTask.objects.filter(task=WATCH, enabled=True).aggregate(at=Max("last_run_at"))["at"]
    heard = Worker.objects.aggregate(at=Max("heard_at"))["at"]
    active = list(ImportRun.objects.filter(status__in=ImportRun.ACTIVE))
    busy = [run.heartbeat_at for run in active if run.worker and run.trigger != "command" and not is_dead(run)]
    if busy and not _is_recent(heard):
        heard = timezone.now()
    return Machinery(beat_at=beat, worker_at=heard, waiting=sum(run.is_waiting for run in active))


def wait_for(run: ImportRun, at_most: timedelta) -> ImportRun:
    """The run once it has ended; as it stands when the time is up, or when it waits and there is no worker to begin it."""
    until = time.monotonic() + at_most.total_seconds()
    look_for_worker = time.monotonic() + LOOK_FOR_WORKER_EVERY
    while run.status in ImportRun.ACTIVE and time.monotonic() < until:
        time.sleep(LOOK_EVERY)
        run.refresh_from_db()
        if run.status == ImportRun.Status.QUEUED and time.monotonic() > look_for_worker:
            if not machinery().has_worker:
                break
            look_for_worker = time.monotonic() + LOOK_FOR_WORKER_EVERY
    return run


def _is_recent(at: datetime | None) -> bool:
    return at is not None and timezone.now() - at < MISSING_AFTER
