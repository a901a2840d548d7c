"""A real worker and real beats over Redis and PostgreSQL: whoever asks for an import, the same rows come, killed or not."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import bearer, make_user
from imports import queueing
from imports.models import DataSource, ImportRun
from imports.services import execute, request_import
from imports.tests.real_worker import (
    Doorbell,
    beat,
    begun,
    digest,
    ended,
    forget_imports,
    kill,
    killed_at,
    points,
    until,
    valkey,
    worker,
)
from imports.tests.sample_world import SAMPLES

pytestmark = [
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the embedded default is tested with `manage.py up`"),
    pytest.mark.xdist_group("real workers"),
]
Status = ImportRun.Status
KILLS = 4
"""Points of a small import; `bin/kill_imports.py` goes through fifty of each real one."""


@pytest.fixture(scope="module")
def programs(django_db_setup, tmp_path_factory) -> Iterator[dict[str, str]]:
    """What programs need to work on the database of these tests, over one broker for all of them."""
    database = urlsplit(os.environ["AEGIS_TEST_DATABASE_URL"])
    with valkey(tmp_path_factory.mktemp("valkey")) as redis:
        yield {
            "DJANGO_SETTINGS_MODULE": "aegis.settings",
            "DATABASE_URL": database._replace(path=f"/{connection.settings_dict['NAME']}").geturl(),
            "REDIS_URL": redis,
            "AEGIS_MIRROR": str(SAMPLES),
            "LOG_LEVEL": "INFO",
        }


@pytest.fixture(scope="module")
def worker_of_all(programs, django_db_blocker, tmp_path_factory) -> Iterator[None]:
    """A worker with two processes, which outlives the tests: it takes seconds to start."""
    with django_db_blocker.unblock(), worker(programs, tmp_path_factory.mktemp("worker"), processes=2):
        yield


@pytest.fixture
def environment(transactional_db, programs) -> dict[str, str]:
    """As `programs`; no source is synced by itself."""
    DataSource.objects.update(enabled=False)
    for source in DataSource.objects.all():
        source.save()
    return programs


@pytest.fixture
def doorbell(environment, monkeypatch) -> Doorbell:
    """The broker of the worker, also for what this process asks for."""
    bell = Doorbell(environment["REDIS_URL"], {"visibility_timeout": 7200})
    monkeypatch.setattr(queueing, "ring", bell.ring)
    return bell


@pytest.fixture
def working(doorbell, worker_of_all) -> Doorbell:
    """The doorbell of a worker that runs."""
    return doorbell


def enable(slug: str, **fields: object) -> None:
    source = DataSource.objects.get(slug=slug)
    source.enabled = True
    for name, value in fields.items():
        setattr(source, name, value)
    source.save()


def newest(slug: str) -> ImportRun:
    until(lambda: ImportRun.objects.filter(source__slug=slug).exists(), f"a run of {slug}")
    return ended(ImportRun.objects.filter(source__slug=slug).latest("pk"))


def test_run_of_a_worker_that_is_gone_is_given_up_by_the_next_one_at_its_start(doorbell, environment, tmp_path):
    """The first of all: no other worker runs yet."""
    run = request_import("sigma")
    host = os.uname().nodename
    ImportRun.objects.filter(pk=run.pk).update(status=Status.RUNNING, worker=f"{host}:999999999", step="store")
    silent = request_import("lolbas")
    long_ago = timezone.now() - timedelta(minutes=10)
    ImportRun.objects.filter(pk=silent.pk).update(heartbeat_at=long_ago)  # its message was lost
    with worker(environment, tmp_path):
        assert ended(run).status == Status.ABANDONED
        assert ended(silent).status == Status.SUCCEEDED


def test_schedule_api_and_button_end_in_the_same_rows(working, environment, tmp_path):
    admin = make_user(Role.ADMIN, username="maria")
    browser = Client()
    browser.force_login(admin)
    enable("lolbas")
    told = bearer(admin).post("/api/v1/system/import-lolbas?wait=true")
    assert (told.status_code, told.json()["status"], told.json()["statistics"]["created"]) == (200, "succeeded", 14)
    enable("sigma")
    browser.post("/sources/sigma/sync")
    assert newest("sigma").status == Status.SUCCEEDED
    with beat(environment, tmp_path):
        enable("caldera")  # never synced: due at once
        assert newest("caldera").status == Status.SUCCEEDED
        until(lambda: queueing.machinery().has_beat, "beat is heard of")
        assert queueing.machinery().has_worker
    runs = ImportRun.objects.order_by("pk").values_list("source__slug", "trigger", "requested_by__username", "created")
    assert list(runs) == [
        ("lolbas", "api", "maria", 14),
        ("sigma", "button", "maria", 32),
        ("caldera", "schedule", None, 8),
    ]
    before = digest()
    for slug in ("lolbas", "sigma", "caldera"):
        again = execute(request_import(slug), mirror=str(SAMPLES), force=True)
        assert (again.created, again.updated, again.withdrawn) == (0, 0, 0)
    assert digest() == before


def test_same_task_delivered_ten_times_is_one_run(working):
    run = request_import("attack")
    for _ in range(10):
        working.ring(run)
    assert ended(run).status == Status.SUCCEEDED
    follower = request_import("lolbas")
    working.ring(follower)  # behind the ten in the queue
    assert ended(follower).status == Status.SUCCEEDED
    assert list(ImportRun.objects.filter(source__slug="attack").values_list("created")) == [(112,)]


def test_two_beats_sync_no_source_twice(working, environment, tmp_path):
    every = timedelta(seconds=4)
    with ExitStack() as both:
        for name in ("first", "second"):
            both.enter_context(beat(environment, tmp_path, name))
        enable("lolbas", every=every)
        until(lambda: ImportRun.objects.filter(trigger="schedule").count() >= 3, "three ticks")
    began = list(ImportRun.objects.order_by("pk").values_list("created_at", flat=True))
    gaps = [later - earlier for earlier, later in pairwise(began)]
    assert min(gaps) > every / 2


def test_run_that_storing_keeps_busy_is_cancelled_from_elsewhere(working):
    run = request_import("attack")
    with storing_waits():
        working.ring(run)
        until(lambda: ImportRun.objects.get(pk=run.pk).step == "store", "it stores")
        heard = ImportRun.objects.get(pk=run.pk).heartbeat_at
        until(lambda: ImportRun.objects.get(pk=run.pk).heartbeat_at > heard + timedelta(seconds=2), "its heart beats")
    ImportRun.objects.filter(pk=run.pk, status=Status.RUNNING).update(cancel_requested=True)
    assert ended(run).status in {Status.CANCELLED, Status.SUCCEEDED}


@contextmanager
def storing_waits() -> Iterator[None]:
    """Whoever stores techniques waits until the end of the block, so that no import is through before."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE catalog_technique IN ACCESS EXCLUSIVE MODE")
        yield


def test_killed_imports_leave_the_catalogue_whole_and_the_next_one_converges(working, environment, tmp_path):
    empty = digest()
    first = request_import("attack")
    working.ring(first)
    took = ended(first).seconds
    whole = digest()
    assert first.status == Status.SUCCEEDED
    for moment in points(KILLS, took, seed=1):
        forget_imports()
        assert killed_at("attack", moment, working.ring).status in {Status.ABANDONED, Status.SUCCEEDED}
        assert digest() in {empty, whole}
        follower = request_import("attack")
        working.ring(follower)
        assert ended(follower).status in {Status.SUCCEEDED, Status.NOT_MODIFIED}
        assert digest() == whole


def test_import_that_is_killed_while_it_stores_leaves_nothing_and_is_given_up(working):
    empty = digest()
    run = request_import("attack", trigger="schedule")
    with storing_waits():
        working.ring(run)
        kill(begun(run))
    assert ended(run).status == Status.ABANDONED
    assert digest() == empty


def test_database_that_restarts_within_an_import_leaves_the_catalogue_whole_and_the_worker_alive(working, environment):
    """To a client a restart is this: every connection is gone at once, and new ones are taken."""
    empty = digest()
    first = request_import("attack")
    working.ring(first)
    took = ended(first).seconds
    whole = digest()
    for moment in points(KILLS // 2, took, seed=2):
        forget_imports()
        run = request_import("attack")
        working.ring(run)
        begun(run)
        time.sleep(moment)
        cut_all_connections()
        assert ended(run).status in {Status.FAILED, Status.SUCCEEDED}
        assert digest() == (whole if run.status == Status.SUCCEEDED else empty)
        if run.status == Status.FAILED:
            assert_says_why(run)
    follower = request_import("attack")
    working.ring(follower)
    assert ended(follower).status in {Status.SUCCEEDED, Status.NOT_MODIFIED}
    assert digest() == whole


def test_import_whose_database_restarts_while_it_stores_fails_and_says_why(working):
    empty = digest()
    run = request_import("attack")
    with storing_waits():
        working.ring(run)
        until(lambda: ImportRun.objects.get(pk=run.pk).step == "store", "it stores")
        cut_all_connections()
    assert ended(run).status == Status.FAILED
    assert_says_why(run)
    assert digest() == empty


def assert_says_why(run: ImportRun) -> None:
    """What a run tells that lost its database."""
    assert "The database failed: " in run.error
    assert "Nothing of this run was stored" in run.error


def cut_all_connections() -> None:
    """End every session of this test's database but our own."""
    with connection.cursor() as cursor:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
