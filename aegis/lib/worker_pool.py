"""What a worker does when one of its processes dies: nothing stays locked, and whoever has to do with its task is told why."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import weakref
from typing import Any

from celery import Task as CeleryTask
from celery.app.trace import ExceptionInfo
from celery.concurrency.prefork import TaskPool as PreforkPool
from celery.exceptions import WorkerLostError
from celery.worker.request import Request as CeleryRequest

from aegis.lib.signals import process_lost

DEATH = re.compile(r"prematurely: (.+?)\.?(?: Job: \d+\.)?$")
"""How a process ended, in what Celery says of it: "signal 11 (SIGSEGV)"."""


class OutOfMemory(Exception):
    """A task asked for more memory than there is."""


class MortalLock:
    """A lock between processes that the kernel gives back when its holder ends, however that ends."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)

    def acquire(self) -> None:
        """Wait until it is this process's."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        """Let the next one have it."""
        fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class MortalPool(PreforkPool.BlockingPool):
    """The processes of a worker over a broker of files.

    They take their tasks out of one pipe, and the one that waits at it holds its lock. With Celery's own locks an idle process
    that is killed (memory ran out) holds it for ever: no other gets a task, and the worker seems to live. Over Redis each
    process has a pipe of its own.
    """

    def _setup_queues(self) -> None:
        super()._setup_queues()
        queues: tuple[Any, ...] = (self._inqueue, self._outqueue)
        for queue in queues:
            queue._rlock, queue._wlock = MortalLock(), MortalLock()  # noqa: SLF001 (billiard has no other way in)


class TaskPool(PreforkPool):
    """Celery's own pool, but for the processes that share pipes."""

    BlockingPool = MortalPool


class Request(CeleryRequest):
    """A task in the hands of a worker's main process."""

    def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> None:
        """Tell of a process that died. A task that had too little memory is one that failed: Celery would end the worker."""
        error = getattr(exc_info.exception, "exc", exc_info.exception)
        if isinstance(error, WorkerLostError):
            found = DEATH.search(str(error))
            process_lost.send_robust(
                Request, task=self.task.name, args=self.args, how=found[1] if found else str(error)
            )
        if isinstance(error, MemoryError):
            exc_info = _told(OutOfMemory(f"{self.task.name} asked for more memory than there is"))
        super().on_failure(exc_info, *args, **kwargs)


class Task(CeleryTask):
    """A task whose requests are those of this file."""

    abstract = True
    Request = "aegis.lib.worker_pool:Request"


def _told(error: Exception) -> Any:
    try:
        raise error
    except OutOfMemory:
        return ExceptionInfo()
