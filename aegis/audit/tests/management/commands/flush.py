"""Django's `flush`, as it runs between tests: with the triggers of the audit trail out of its way."""

from typing import Any

from django.core.management.commands.flush import Command as Flush
from django.db import connection

from aegis.audit import triggers
from aegis.audit.recording import start_chain


class Command(Flush):
    """Empties all tables, and starts a new chain."""

    def handle(self, *args: Any, **options: Any) -> None:
        triggers.remove(connection)
        try:
            super().handle(*args, **options)
        finally:
            triggers.install(connection)
        start_chain()
