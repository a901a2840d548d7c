"""A gigabyte of evidence passes through the server in pieces and costs it little memory; a cut upload leaves nothing."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest
from django.core.management import call_command
from django.db import connection

from aegis.accounts.tests.factories import bearer, make_user
from coverage.tests.big_uploads import MB, Server, Way, cut, send, serving
from coverage.tests.bucket import BUCKET, running_server, variables
from coverage.tests.bucket import client as bucket_client
from coverage.tests.factories import make_test

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
SIZE = 1024 * MB
FORTY_PARTS = 320 * MB
ALLOWED = 60 * MB
CSRF = "t" * 32


@pytest.fixture(autouse=True)
def _on_sqlite():
    if connection.vendor != "sqlite":
        pytest.skip("the server gets a copy of the database, which only SQLite gives; its memory is the same")


@pytest.fixture
def test():
    return make_test(by=make_user("admin"))


def by_page(client, test) -> Way:
    """How the form of the page uploads."""
    client.force_login(test.created_by)
    cookies = f"aegis={client.cookies['aegis'].value}; aegis-csrf={CSRF}"
    fields = {"csrfmiddlewaretoken": CSRF, "side": "red"}
    return Way(f"/tests/{test.pk}/evidence", {"Cookie": cookies}, "files", fields)


def by_api(client, test) -> Way:
    """How a client of the API uploads."""
    token = bearer(test.created_by)._credentials["HTTP_AUTHORIZATION"]
    return Way(f"/api/v1/tests/{test.pk}/evidence", {"Authorization": token}, "file", {"side": "red"})


def grown(server: Server, way: Way, size: int) -> int:
    """Bytes that the worker grew by at its peak; a first, small upload has loaded all the code that any upload needs."""
    assert send(server, way, MB) in {201, 302}
    before = server.memory("VmRSS")
    assert send(server, way, size) in {201, 302}
    return server.memory("VmHWM") - before


def until(condition) -> None:
    """Return as soon as the condition holds. Raises AssertionError after half a minute."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_gigabyte_goes_to_the_folder_in_pieces(tmp_path, client, test):
    way = by_page(client, test)
    with serving(tmp_path) as server:
        assert grown(server, way, SIZE) < ALLOWED
        assert sorted(path.stat().st_size for path in server.objects()) == [MB, SIZE]
        assert server.rows() == 2
        until(lambda: server.temporary() == [])


def test_a_file_of_many_parts_goes_to_the_bucket_in_pieces(tmp_path, client, test):
    way = by_api(client, test)
    with running_server(tmp_path / "bucket") as address, serving(tmp_path, variables(address)) as server:
        assert grown(server, way, FORTY_PARTS) < ALLOWED
        held = bucket_client(address).list_objects_v2(Bucket=BUCKET)["Contents"]
        assert sorted(entry["Size"] for entry in held) == [MB, FORTY_PARTS]
        assert (server.objects(), server.rows()) == ([], 2)


@pytest.mark.parametrize("way_of", [by_page, by_api], ids=["page", "api"])
def test_an_upload_whose_line_goes_dead_leaves_nothing(tmp_path, client, test, way_of):
    way = way_of(client, test)
    with serving(tmp_path) as server:
        cut(server, way, 64 * MB)
        until(lambda: server.temporary() == [])
        assert (server.rows(), server.objects()) == (0, [])
        assert send(server, way, MB) in {201, 302}


def test_what_a_killed_server_leaves_is_swept(tmp_path, client, test, settings):
    way = by_page(client, test)
    with serving(tmp_path) as server, ThreadPoolExecutor() as elsewhere:
        upload = elsewhere.submit(send, server, way, SIZE)
        until(lambda: server.objects() != [])
        os.kill(server.worker, signal.SIGKILL)
        assert isinstance(upload.exception(), OSError | HTTPException)
        assert server.rows() == 0
        (left,) = server.objects()
    yesterday = time.time() - 25 * 3600
    os.utime(left, (yesterday, yesterday))
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "evidence"}}
    settings.STORAGES = {**settings.STORAGES, "evidence": folder}
    call_command("verify_evidence", sweep=True)
    assert not left.exists()
