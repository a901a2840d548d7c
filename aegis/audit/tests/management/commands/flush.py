"""Django's `flush`, as it runs between tests: with the triggers that keep rows out of its way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.commands.flush import Command as Flush
from django.db import connection

from aegis.audit import triggers
from aegis.audit.recording import start_chain


class Command(Flush):
    """Empties all tables, and starts a new chain."""

    def handle(self, *args: Any, **options: Any) -> None:
        with _triggers_lifted():
            super().handle(*args, **options)
        start_chain()


@contextmanager
def _triggers_lifted() -> Iterator[None]:
    """On SQLite without all triggers, for it empties a table row by row; on PostgreSQL without those that forbid TRUNCATE."""
    if connection.vendor == "postgresql":
        triggers.remove(connection)
        try:
            yield
        finally:
            triggers.install(connection)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        standing = cursor.fetchall()
        for name, _ in standing:
            cursor.execute(f"DROP TRIGGER {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for _, statement in standing:
                cursor.execute(statement)
