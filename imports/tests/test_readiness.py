"""Each dependency is cut for real: the probe says so within five seconds, and names it to nobody but who holds the token."""

import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from kombu import Connection

from aegis.celery import app
from coverage.tests.bucket import running_server, storages
from imports.models import Worker
from imports.queueing import WATCH
from imports.readiness import CHECKS, NEEDED, Check, Shared, findings
from imports.tests.broker import PASSWORD, running_broker

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a token of the tests: 0123456789abcdef"
WELL = dict.fromkeys(NEEDED, "well")
HEARD = {"beat": "was not heard of in the last minute", "worker": "was not heard of in the last minute"}


@pytest.fixture
def probe(client, settings, monkeypatch, db):
    """Ask `/health/ready` anew, and insist on an answer within five seconds."""
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr("imports.readiness._checks", {name: Check(name) for name in CHECKS})

    def ask(path="/health/ready", **headers):
        monkeypatch.setattr("aegis.health.shared", Shared())
        began = time.monotonic()
        answer = client.get(path, headers=headers)
        assert time.monotonic() - began < 5
        return answer

    return ask


@pytest.fixture
def told(probe):
    def ask():
        answer = probe(authorization=f"Bearer {TOKEN}")
        return answer.status_code, answer.json()

    return ask


def use_broker(monkeypatch, url, **options):
    monkeypatch.setattr(app, "connection_for_write", lambda: Connection(url, transport_options=options))


def test_all_is_well_without_beat_and_worker(told, probe):
    assert told() == (200, {"status": "ready", "checks": WELL | HEARD})
    answer = probe()
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_details_are_for_holders_of_the_token_alone(probe, given):
    assert probe(authorization=given).json() == {"status": "ready"}


def test_without_a_token_in_the_environment_nobody_holds_it(probe, settings):
    settings.METRICS_TOKEN = ""
    assert probe(authorization="Bearer ").json() == {"status": "ready"}


def test_probes_need_no_name_of_the_site_and_no_https(probe, settings):
    settings.SECURE_SSL_REDIRECT = True
    for path in ("/health", "/health/", "/health/ready"):
        assert probe(path, host="10.1.2.3:8000").status_code == 200
    assert probe("/healthy", host="10.1.2.3:8000").status_code in {301, 400}


def test_database_that_is_away_is_named(told, probe, monkeypatch):
    away = {"NAME": "/nowhere/at/all.sqlite3", "HOST": "127.0.0.1", "PORT": "9"}
    for name, value in away.items():
        monkeypatch.setitem(connections.settings["default"], name, value)
    status, answer = told()
    assert status == 503
    assert answer["checks"]["database"] == "cannot be reached (OperationalError)"
    assert probe().json() == {"status": "not ready"}
    assert probe("/health").json() == {"status": "ok"}


def test_broker_that_stops_is_named_and_found_again(told, probe, monkeypatch, tmp_path):
    with running_broker(tmp_path) as (port, server):
        use_broker(monkeypatch, f"redis://:{quote(PASSWORD)}@127.0.0.1:{port}/0", socket_connect_timeout=2)
        assert told()[0] == 200
        server.kill()
        server.wait()
        status, answer = told()
    assert status == 503
    assert {name for name in NEEDED if answer["checks"][name] != "well"} == {"broker"}
    assert probe()["Retry-After"] == "10"
    use_broker(monkeypatch, "memory://")
    assert told()[0] == 200


def test_broker_that_refuses_the_password_is_named_without_it(monkeypatch, tmp_path):
    monkeypatch.setattr("imports.readiness.PATIENCE", 60.0)
    with running_broker(tmp_path) as (port, _server):
        use_broker(monkeypatch, f"redis://:canary-of-the-broker@127.0.0.1:{port}/0")
        (broker,) = findings("broker")
    assert broker.trouble == "cannot be reached (OperationalError)"


def test_broker_that_hangs_holds_nobody_up(told, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use_broker(monkeypatch, f"redis://127.0.0.1:{silent.getsockname()[1]}/0", socket_timeout=6)
        status, answer = told()
    assert status == 503
    assert {name for name in NEEDED if answer["checks"][name] != "well"} == {"broker"}


def test_bucket_that_hangs_holds_nobody_up(told, settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.STORAGES = storages(settings.STORAGES, f"http://127.0.0.1:{silent.getsockname()[1]}")
        for _ in range(2):
            status, answer = told()
            assert (status, answer["checks"]["storage"]) == (503, "does not answer in time")
            assert answer["checks"]["database"] == "well"


def test_bucket_that_stops_is_named(told, settings, tmp_path):
    with running_server(tmp_path) as address:
        settings.STORAGES = storages(settings.STORAGES, address)
        assert told()[0] == 200
    status, answer = told()
    assert status == 503
    assert {name for name in NEEDED if answer["checks"][name] != "well"} == {"storage"}


def test_folder_that_is_none_is_named(told, settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    entry = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "file" / "x"}}
    settings.STORAGES = {**settings.STORAGES, "evidence": entry}
    status, answer = told()
    assert (status, answer["checks"]["storage"]) == (503, "cannot be written to")


@pytest.mark.django_db(transaction=True)
def test_beat_and_worker_are_told_once_they_were_heard_of():
    Worker.objects.create(name="w1", heard_at=timezone.now())
    assert [(one.name, one.trouble) for one in findings("worker", "beat")] == [("worker", ""), ("beat", HEARD["beat"])]
    PeriodicTask.objects.filter(task=WATCH).delete()
    Worker.objects.update(heard_at=timezone.now() - timedelta(minutes=2))
    assert [one.trouble for one in findings("worker", "beat")] == list(HEARD.values())


def test_a_check_that_hangs_is_started_once():
    check = Check("database")
    check.start()
    first = check._thread
    first.join()
    check.start()
    assert check._thread is not first


@pytest.mark.django_db
def test_command_tells_people_what_is_well():
    told = StringIO()
    call_command("health", stdout=told)
    assert told.getvalue().splitlines() == [f"{name}: well" for name in NEEDED]


@pytest.mark.django_db
def test_command_fails_for_what_is_not_well_or_not_known():
    told = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("health", "broker", "worker", stdout=told)
    assert ended.value.code == 1
    assert told.getvalue().splitlines() == ["broker: well", f"worker: {HEARD['worker']}"]
    with pytest.raises(SystemExit) as ended:
        call_command("health", "nothing", stderr=told)
    assert ended.value.code == 2


def test_new_installation_says_which_migrations_are_missing(tmp_path):
    environment = os.environ | {"AEGIS_DATA_DIR": str(tmp_path), "DATABASE_URL": ""}
    environment["DJANGO_SETTINGS_MODULE"] = "aegis.settings"
    told = subprocess.run(
        [sys.executable, "manage.py", "health"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    lines = dict(line.split(": ", 1) for line in told.stdout.splitlines())
    assert (told.returncode, told.stderr) == (1, "")
    assert {name: trouble for name, trouble in lines.items() if name != "migrations"} == {
        name: "well" for name in NEEDED if name != "migrations"
    }
    assert lines["migrations"].startswith("not applied yet: accounts.")
