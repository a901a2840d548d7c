"""How long a request waits for the database: a statement that takes for ever would take its thread of the site with it."""

from typing import Any

from django.conf import settings


def limit_statements(connection: Any, **_: Any) -> None:
    """Receiver of `connection_created` in processes that take requests: PostgreSQL ends what takes too long, waiting included.

    Workers have no such limit: an import stores for minutes.
    """
    if connection.vendor == "postgresql":
        milliseconds = round(settings.DATABASE_STATEMENT_SECONDS * 1000)
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(milliseconds)])
