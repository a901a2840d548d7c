"""When sources sync by themselves: a source's row says how often, beat's table follows it, and edits there come back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from imports.models import DataSource, ImportRun
from imports.registry import OPTIONAL, SOURCES

Status = ImportRun.Status
TICK: Final = "imports.tasks.sync_on_schedule"
"""The name of the task that beat sends for each source."""

RETRY_AFTER: Final = timedelta(hours=6)
"""A sync that failed is tried again after so long, or when the next one is due if that is sooner."""

LONGEST_SCHEDULE: Final = 10 * 365 * 24
"""Hours."""

LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When beat takes a source to have been synced that never was."""

UNITS: Final = {
    IntervalSchedule.DAYS: timedelta(days=1),
    IntervalSchedule.HOURS: timedelta(hours=1),
    IntervalSchedule.MINUTES: timedelta(minutes=1),
    IntervalSchedule.SECONDS: timedelta(seconds=1),
}
NEEDED: Final = frozenset(source.slug for source in SOURCES)
KNOWN: Final = NEEDED | {source.slug for source in OPTIONAL}


def task_name(slug: str) -> str:
    """What beat's row of a source is called."""
    return f"Sync {slug}"


def interval(every: timedelta) -> IntervalSchedule:
    """Beat's row for "every so often", in the largest unit that fits."""
    unit, length = next((unit, length) for unit, length in UNITS.items() if not every % length)
    return IntervalSchedule.objects.get_or_create(every=every // length, period=unit)[0]


def write_task(source: DataSource) -> None:
    """Bring beat's row in line with the source's. Writes, and wakes beat, only if they differ.

    An optional source has none until somebody enables it.
    """
    name = task_name(source.slug)
    task = PeriodicTask.objects.select_related("interval").filter(name=name).first()
    if source.every is None or source.slug not in KNOWN:
        if task and task.enabled:
            task.enabled = False
            task.save()
        return
    if task is None:
        if not source.enabled and source.slug not in NEEDED:
            return
        task = PeriodicTask(name=name, task=TICK, args=json.dumps([source.slug]), enabled=False)
    last = (source.counted_from or LONG_AGO) if source.enabled else None
    if (task.enabled, task.last_run_at, _every(task)) == (source.enabled, last, source.every) and task.task == TICK:
        return
    task.task, task.enabled, task.last_run_at = TICK, source.enabled, last
    task.interval, task.crontab, task.solar, task.clocked = interval(source.every), None, None, None
    task.save()


def read_task(task: PeriodicTask) -> None:
    """Bring the source's row in line with beat's after somebody edited it there. What is no interval is put back."""
    source = DataSource.objects.filter(slug=_slug(task)).first()
    if source is None:
        return
    every = _every(task)
    if every is None:
        write_task(source)
        return
    if source.every is None and not task.enabled:
        return
    if (source.enabled, source.every) != (task.enabled, every):
        source.enabled, source.every = task.enabled, every
        source.save(update_fields=["enabled", "every"])


def read_tasks(interval: IntervalSchedule | None = None) -> None:
    """The same for all of beat's rows, or for those with one interval: edits in bulk tell nobody."""
    tasks = PeriodicTask.objects.select_related("interval").filter(task=TICK)
    for task in tasks.filter(interval=interval) if interval else tasks:
        read_task(task)


@transaction.atomic
def change_source(source: DataSource, **changes: Any) -> None:
    """Write what an admin wants of a source: `enabled`, and `schedule_hours`, None for "by hand only"."""
    row = DataSource.objects.select_for_update().get(pk=source.pk)
    if "enabled" in changes:
        row.enabled = changes["enabled"]
    if "schedule_hours" in changes:
        hours = changes["schedule_hours"]
        row.every = None if hours is None else timedelta(hours=hours)
    row.save(update_fields=["enabled", "every"])


def next_run_at(task: PeriodicTask) -> datetime | None:
    """When beat sends the task next, None if it is switched off."""
    if not task.enabled:
        return None
    last = task.last_run_at or task.date_changed
    remaining: timedelta = task.schedule.remaining_estimate(last)
    return timezone.now() + max(remaining, timedelta(0))


def claim_tick(slug: str) -> bool:
    """Whether the caller is the one to sync the source now.

    Of ticks that come close together one is claimed, whether two beats sent them, or the broker delivered one twice, or they
    piled up while no worker ran.
    """
    source = DataSource.objects.filter(slug=slug, enabled=True, every__isnull=False).first()
    if source is None or source.every is None:
        return False
    now = timezone.now()
    due = Q(counted_from__isnull=True) | Q(counted_from__lte=now - source.every / 2)
    if not DataSource.objects.filter(due, pk=source.pk).update(counted_from=now):
        return False
    source.counted_from = now
    write_task(source)
    return True


def note_sync(run: ImportRun) -> None:
    """Keep on the source's row how a run ended, and count the time to the next one from here. Previews do not count."""
    source = run.source
    if run.dry_run or run.finished_at is None:
        return
    source.refresh_from_db(fields=["enabled", "every", "counted_from"])
    source.last_sync_at, source.last_sync_status = run.finished_at, run.status
    if run.status in ImportRun.GOOD:
        source.last_sync_stats = run.statistics()
    if run.status != Status.CANCELLED and source.every is not None:
        wait = source.every if run.status in (*ImportRun.GOOD, Status.HELD) else min(source.every, RETRY_AFTER)
        source.counted_from = run.finished_at + wait - source.every
    source.save(update_fields=["last_sync_at", "last_sync_status", "last_sync_stats", "counted_from"])


def task_was_saved(instance: PeriodicTask, **_: Any) -> None:
    """Receiver: a row of beat's was saved, by beat itself or by somebody."""
    if instance.task == TICK:
        read_task(instance)


def task_was_deleted(instance: PeriodicTask, **_: Any) -> None:
    """Receiver: without beat's row the source is synced when somebody asks; editing its schedule makes a new one."""
    if instance.task == TICK:
        DataSource.objects.filter(slug=_slug(instance)).update(every=None)


def interval_was_saved(instance: IntervalSchedule, **_: Any) -> None:
    """Receiver: an interval that several rows of beat's may share."""
    read_tasks(instance)


def source_was_saved(instance: DataSource, raw: bool = False, **_: Any) -> None:
    """Receiver: a source's row was saved, in part perhaps, by somebody who read it a while ago."""
    if not raw:
        write_task(DataSource.objects.get(pk=instance.pk))


def _every(task: PeriodicTask) -> timedelta | None:
    return (
        UNITS[task.interval.period] * task.interval.every if task.interval and task.interval.period in UNITS else None
    )


def _slug(task: PeriodicTask) -> str:
    try:
        (slug,) = json.loads(task.args)
    except (ValueError, TypeError):
        return ""
    return str(slug)
