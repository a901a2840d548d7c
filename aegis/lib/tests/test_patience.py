"""No request waits for the database for ever."""

import time

import pytest
from django.db import connection, transaction

from aegis.lib.outages import OUTAGES
from aegis.lib.patience import limit_statements
from aegis.lib.tests.test_boot import SOUND, started

CONNECTED = """
import aegis.{entry}
from django.db.backends.signals import connection_created
from aegis.lib.patience import limit_statements
print(limit_statements in [receiver() for _, receiver, *_ in connection_created.receivers])
"""


@pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite has its own limit: it waits 30 seconds for a lock"
)
def test_statement_that_takes_too_long_is_ended_and_the_connection_goes_on(db, settings):
    settings.DATABASE_STATEMENT_SECONDS = 0.1
    limit_statements(connection=connection)
    begun = time.monotonic()
    with connection.cursor() as cursor:
        with pytest.raises(OUTAGES, match="statement timeout"), transaction.atomic():
            cursor.execute("SELECT pg_sleep(20)")
        cursor.execute("SELECT 1")
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("entry", ["wsgi", "asgi"])
def test_processes_that_take_requests_have_the_limit(entry):
    ended = started(["-c", CONNECTED.format(entry=entry)], **SOUND)
    assert (ended.returncode, ended.stdout) == (0, "True\n")


def test_other_processes_have_none():
    program = CONNECTED.format(entry="celery").replace("print", "import django; django.setup(); print")
    ended = started(["-c", program], **SOUND, DJANGO_SETTINGS_MODULE="aegis.settings")
    assert (ended.returncode, ended.stdout) == (0, "False\n")
