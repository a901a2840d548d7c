"""Whether Aegis has what it needs: each dependency is asked for itself, and one that hangs holds nobody up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Final

from celery import current_app
from django.core.files.storage import storages
from django.db import connection, connections

from aegis.lib.upgrades import missing_migrations
from imports.queueing import machinery

PATIENCE: Final = 4.0
"""Seconds for all checks together: a probe that gives up after five still learns which one it was."""

SHARED: Final = 1.0
"""Seconds for which an answer is given again: whoever asks all the time does not wear out the database."""


class Broken(RuntimeError):
    """A dependency answers, and is not as Aegis needs it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: `trouble` is empty where all is well, and never holds a name, an address or a secret."""

    name: str
    trouble: str

    @property
    def is_well(self) -> bool:
        """Whether there is no trouble."""
        return not self.trouble


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    if missing := missing_migrations():
        raise Broken(f"not applied yet: {', '.join(missing)}")


def _broker() -> None:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=PATIENCE)


def _storage() -> None:
    store: Any = storages["evidence"]
    if hasattr(store, "bucket_name"):
        store.connection.meta.client.head_bucket(Bucket=store.bucket_name)
        return
    folder = Path(store.location)
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        raise Broken("cannot be written to")


def _beat() -> None:
    if not machinery().has_beat:
        raise Broken("was not heard of in the last minute")


def _worker() -> None:
    if not machinery().has_worker:
        raise Broken("was not heard of in the last minute")


CHECKS: Final[Mapping[str, Callable[[], None]]] = {
    "database": _database,
    "migrations": _migrations,
    "broker": _broker,
    "storage": _storage,
    "beat": _beat,
    "worker": _worker,
}
NEEDED: Final = ("database", "migrations", "broker", "storage")
"""Without these a site turns visitors away. Without beat or a worker it is late with its imports, and serves."""


class Check:
    """One check in a thread of its own. While it hangs, the next who asks is told so, and starts no second one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = Lock()
        self._thread: Thread | None = None
        self._trouble = ""

    def start(self) -> None:
        """Ask, unless somebody is still waiting for the answer."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._ask, name=f"check-{self._name}", daemon=True)
                self._thread.start()

    def finding(self, until: float) -> Finding:
        """What it found, or that it did not answer by `until` (time.monotonic)."""
        assert self._thread is not None, "it was started"  # noqa: S101
        self._thread.join(max(0.0, until - time.monotonic()))
        late = self._thread.is_alive()
        return Finding(self._name, "does not answer in time" if late else self._trouble)

    def _ask(self) -> None:
        trouble = ""
        try:
            CHECKS[self._name]()
        except Broken as error:
            trouble = str(error)
        except Exception as error:  # noqa: BLE001  whatever a driver raises is the answer, and its text may name hosts and users
            trouble = f"cannot be reached ({type(error).__name__})"
        finally:
            connections.close_all()
        self._trouble = trouble


_checks: Final = {name: Check(name) for name in CHECKS}


def findings(*names: str) -> list[Finding]:
    """What the checks of these names find, in at most `PATIENCE` seconds. Raises KeyError for a name that is not in CHECKS."""
    asked = [_checks[name] for name in names]
    for check in asked:
        check.start()
    until = time.monotonic() + PATIENCE
    return [check.finding(until) for check in asked]


class Shared:
    """The findings of all checks, not older than `SHARED` seconds."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = 0.0
        self._found: list[Finding] = []

    def findings(self) -> list[Finding]:
        """As `findings` of everything; those who ask at once are given the same."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = findings(*CHECKS)
                self._until = time.monotonic() + SHARED
            return self._found


shared: Final = Shared()
