"""An upgrade whose migrations were not run: pages, API and commands say what is missing and what to do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection

from aegis.accounts.tests.factories import make_user
from aegis.lib.upgrades import is_behind
from coverage.models import Test
from intel.models import Feed

BEHIND = "The database does not fit this version of Aegis"
WHAT_TO_DO = "Run `manage.py migrate`"


def without(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement",
    ["ALTER TABLE intel_feed RENAME TO gone", "ALTER TABLE intel_feed RENAME COLUMN url TO gone"],
    ids=["table", "column"],
)
@pytest.mark.parametrize("path", ["/feeds", "/api/v1/feeds", "/admin/intel/feed/"])
def test_page_that_lacks_a_table_or_column_says_that_the_upgrade_is_not_complete(client, db, statement, path):
    client.force_login(make_user("admin"))
    client.raise_request_exception = False
    assert client.get(path).status_code == 200
    without(statement)
    answer = client.get(path, headers={"Accept": "application/json" if "/api/" in path else "text/html"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    told = answer.json()["detail"] if "/api/" in path else answer.content.decode()
    assert BEHIND in told
    assert WHAT_TO_DO in told
    assert "intel_feed" not in told


@pytest.mark.django_db
def test_a_database_that_lacks_what_is_written_is_behind_and_any_other_fault_is_not():
    with pytest.raises(DatabaseError) as wrong:
        Test.objects.extra(where=["nonsense ("]).exists()
    assert not is_behind(wrong.value)
    assert not is_behind(None)


@pytest.mark.django_db
def test_a_row_for_a_column_that_is_missing_is_behind():
    without("ALTER TABLE intel_feed RENAME COLUMN name TO gone")
    with pytest.raises(DatabaseError) as lacking:
        Feed.objects.create(name="News", url="https://www.cisa.gov/news.xml")
    assert is_behind(lacking.value)


@pytest.mark.parametrize("command", [["import_source", "lolbas"], ["up"]], ids=["import", "up"])
def test_command_on_an_empty_database_ends_with_what_to_do_and_no_trace(tmp_path: Path, command):
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ended = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=settings.BASE_DIR,
        env=kept | {"AEGIS_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert BEHIND in ended.stderr
    assert WHAT_TO_DO in ended.stderr
    assert "Traceback" not in ended.stderr
