"""A disk that is full: the run says so, nothing of it is stored, and nothing is left behind."""

import os
import resource
import signal
import tempfile

import pytest
from django.db import connection

from catalog.models import DetectionRule
from imports.digest import catalog_digest
from imports.fetchers import FetchError, fetch
from imports.fetchers.tests.worlds import rules, source

pytestmark = pytest.mark.django_db
KIB = 1024


@pytest.fixture
def only_so_much_fits_into_a_file(monkeypatch, tmp_path):
    """No file can grow beyond 64 KiB, as on a disk that has no more room."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * KIB, before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_download_without_room_is_said_and_leaves_no_file(tmp_path, request):
    large = os.urandom(300 * KIB)
    (tmp_path / "mirror.tar.gz").write_bytes(rules({"rules/a.yml": large}))
    folder = request.getfixturevalue("only_so_much_fits_into_a_file")
    with pytest.raises(FetchError, match="File too large"):
        fetch(source(), local=str(tmp_path / "mirror.tar.gz"))
    assert [file.name for file in folder.iterdir()] == ["mirror.tar.gz"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a full PostgreSQL raises the same exception")
@pytest.mark.django_db(transaction=True)
def test_database_without_room_fails_the_run_and_stays_as_it_was(world):
    world.rules(2)
    world.run("sigma")
    before = catalog_digest()
    world.rules(600)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # pages that other tests left empty would be room
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages + 8}")  # holds for this connection alone
    run = world.run("sigma")
    connection.close()
    assert (run.status, catalog_digest()) == ("failed", before)
    assert run.error.startswith("The database failed: database or disk is full. Nothing of this run was stored.")
    assert world.run("sigma").status == "succeeded"
    assert DetectionRule.objects.current().count() == 600
