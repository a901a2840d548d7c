"""The life of a run: which process carries it out, whether that is still there, and what may end it from outside."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from datetime import timedelta
from functools import partial

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from aegis.audit.recording import record
from aegis.lib.outages import OUTAGES
from imports.models import STEPS, ImportRun
from imports.schedule import note_sync
from imports.whereabouts import left_by

Status = ImportRun.Status
HEARTBEAT_EVERY = timedelta(seconds=2)
DEAD_AFTER = timedelta(seconds=60)
"""A run that has not been heard of for so long is dead: its heart beats from a thread, whatever step it is at."""
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between attempts to write the end of a run whose database was lost."""
DEAD_FOR_SURE = timedelta(minutes=30)
"""The same where SQLite is locked while a run stores, so that nothing is heard of it: its process is asked for first."""

KILLED = "SIGKILL"

logger = logging.getLogger(__name__)


class Stopped(Exception):
    """The run must not go on. What it has not committed is taken back."""


class Cancelled(Stopped):
    """Somebody asked for the run to end."""


class Superseded(Stopped):
    """The run was given up for dead meanwhile, and its source may be in other hands: it must not store anything."""


def this_process() -> str:
    """The name under which this process carries out runs."""
    return f"{socket.gethostname()}:{os.getpid()}"


def is_dead(run: ImportRun) -> bool:
    """Whether the process of an active run is gone. A run that waits for a worker is not in any process yet."""
    if run.status == Status.QUEUED and not run.worker:
        return False
    silence = timezone.now() - (run.heartbeat_at or run.created_at)
    return _is_gone(run) or silence > _patience(run)


def _is_here(run: ImportRun) -> bool:
    """Whether its process is, or was, one of this machine."""
    host, _, pid = run.worker.rpartition(":")
    return host == socket.gethostname() and pid.isdigit()


def _is_gone(run: ImportRun) -> bool:
    return _is_here(run) and not is_alive(int(run.worker.rpartition(":")[2]))


def _patience(run: ImportRun) -> timedelta:
    return DEAD_FOR_SURE if _is_here(run) and connection.vendor == "sqlite" else DEAD_AFTER


def free_dead_runs(runs: QuerySet[ImportRun] | None = None, *, how: str = "") -> int:
    """Mark those active runs (of all, or of `runs`) whose process is gone as abandoned. Returns how many.

    Their sources can be imported again. `how` is how the process ended, where that is known: "signal 11 (SIGSEGV)".
    """
    active = (ImportRun.objects.all() if runs is None else runs).filter(status__in=ImportRun.ACTIVE)
    return sum(_abandon(run, how) for run in active.select_related("source") if is_dead(run))


def end_when_possible(end: Callable[[str], None], error: Exception) -> None:
    """Write the end of a run to a database that was lost, as soon as it answers again; give it half a minute.

    If it does not, the run is given up for dead, as if its process had died.
    """
    reason = " ".join(str(error).split())
    text = f"The database failed: {reason}. Nothing of this run was stored. See that it runs and has room, then start again."
    for pause in PAUSES:
        if not connection.in_atomic_block:
            connection.close()
        try:
            return end(text)
        except OUTAGES:
            time.sleep(pause)
    logger.error("The database does not answer: the run is given up, and can be started again")
    return None


def cancel_run(run: ImportRun) -> bool:
    """Ask for an active run to end: at once if it waits, else as soon as it looks up. False if it had ended already."""
    with transaction.atomic():
        standing = ImportRun.objects.select_for_update().get(pk=run.pk)
        if standing.status not in ImportRun.ACTIVE:
            return False
        action, standing.cancel_requested = "import.cancel_requested", True
        if standing.status == Status.QUEUED:
            action, standing.status, standing.finished_at = "import.cancelled", Status.CANCELLED, timezone.now()
        standing.save(update_fields=["status", "finished_at", "cancel_requested"])
        record(None, action, standing, after={"source": standing.source.slug})
    return True


def require_running(run: ImportRun) -> None:
    """Lock the run's row until the transaction ends. Raises Stopped unless it is still this process's to store."""
    mine = {"pk": run.pk, "status": Status.RUNNING, "worker": run.worker}
    standing = ImportRun.objects.select_for_update().filter(**mine).values_list("cancel_requested", flat=True)
    _stop(list(standing))


class Lifeline:
    """Between a run that is carried out and its row: progress goes down, "stop" comes up.

    On PostgreSQL a thread with a connection of its own keeps it alive, also while the run's transaction is open. SQLite has one
    writer, and so it is told between two files only, and never while the run stores.
    """

    def __init__(self, run: ImportRun) -> None:
        self._run = run
        self._told: dict[str, int | str] = {}
        self._stopped: Stopped | None = None
        self._is_storing = False
        self._ended = threading.Event()
        self._has_thread = connection.vendor != "sqlite" and not connection.in_atomic_block
        self._heard = timezone.now() - HEARTBEAT_EVERY

    @contextmanager
    def held(self) -> Iterator[Lifeline]:
        """Alive until the block ends."""
        beat_on = partial(copy_context().run, self._beat_on)
        thread = threading.Thread(target=beat_on, name=f"import run {self._run.pk}", daemon=True)
        if self._has_thread:
            thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            if self._has_thread:
                thread.join()

    @contextmanager
    def storing(self) -> Iterator[None]:
        """Around the transaction that stores: its connection has no other news to tell."""
        self._is_storing = True
        try:
            yield
        finally:
            self._is_storing = False

    def tell(self, step: str, done: int, total: int | None, counts: Mapping[str, int]) -> None:
        """Note how far the run is. Raises Stopped."""
        self._told = {"step": step, "done": done, "total": total or 0, **counts}
        now = timezone.now()
        if not self._has_thread and not self._is_storing and now - self._heard >= HEARTBEAT_EVERY:
            self._heard = now
            self._beat()
        if self._stopped:
            raise self._stopped

    def tell_now(self, step: str) -> None:
        """Note that a step begins of which nothing will be heard for a while. Raises Stopped."""
        self._heard = timezone.now() - HEARTBEAT_EVERY
        self.tell(step, 0, None, {})

    def _beat_on(self) -> None:
        try:
            while not self._ended.wait(HEARTBEAT_EVERY.total_seconds()):
                try:
                    self._beat()
                except (DatabaseError, InterfaceError):  # a beat may fail; if all do, the run is given up
                    connection.close()
        finally:
            connection.close()

    def _beat(self) -> None:
        mine = ImportRun.objects.filter(pk=self._run.pk, status=Status.RUNNING, worker=self._run.worker)
        mine.update(heartbeat_at=timezone.now(), **self._told)
        try:
            _stop(list(mine.values_list("cancel_requested", flat=True)))
        except Stopped as stopped:
            self._stopped = stopped


def _stop(found: list[bool]) -> None:
    if not found:
        raise Superseded("the run was given up for dead, or ended, while this process was at it")
    if found[0]:
        raise Cancelled("cancelled")


@transaction.atomic
def _abandon(run: ImportRun, how: str) -> bool:
    """Give up a run, unless its row has moved since it was looked at."""
    seen = {"pk": run.pk, "status": run.status, "heartbeat_at": run.heartbeat_at}
    if not ImportRun.objects.select_for_update().filter(**seen).exists():
        return False
    run.error = f"abandoned: {_death(run, how)}. Nothing of this run was stored: it can be started again."
    run.status, run.finished_at, run.step = Status.ABANDONED, timezone.now(), ""
    run.forget_counts()
    run.save()
    note_sync(run)
    record(None, "import.abandoned", run, after={"source": run.source.slug, "error": run.error})
    return True


def _death(run: ImportRun, how: str) -> str:
    """What is known of the end of a run's process: how, and at what."""
    path = left_by(run) if _is_here(run) else ""
    at = f" while reading {path}" if path else f" while {STEPS[run.step].lower()}" if run.step in STEPS else ""
    if not (how or _is_gone(run)):
        return f"the process {run.worker} was not heard of for {_patience(run).seconds} seconds{at}"
    if KILLED in how:
        return f"the process {run.worker} was killed ({how}){at}, which most often means that memory ran out"
    return f"the process {run.worker} ended{f' with {how}' if how else ''}{at}"


def is_alive(pid: int) -> bool:
    """Whether there is a process of this number on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
