"""`manage.py up`: one command, nothing to install: sources come by themselves, and all is gone when it is told to stop."""

import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from django.conf import settings

from imports.tests.sample_world import SAMPLES, SLUGS

pytestmark = pytest.mark.long
ROOT = settings.BASE_DIR
PATIENCE = 180


def environment_of(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | {"AEGIS_DATA_DIR": str(folder), "AEGIS_MIRROR": str(SAMPLES), "LOG_LEVEL": "WARNING"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory) -> Path:
    """The folder of an embedded installation that nobody has started yet."""
    folder = tmp_path_factory.mktemp("installation")
    manage(environment_of(folder), "migrate", "-v", "0")
    return folder


@pytest.fixture
def environment(installation: Path, tmp_path: Path) -> dict[str, str]:
    """An embedded installation of its own."""
    shutil.copytree(installation, tmp_path, dirs_exist_ok=True)
    return environment_of(tmp_path)


def manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def up(environment, tmp_path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command, running, and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "manage.py", "up", "--port", str(port)]
        running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        yield running, port
        if running.poll() is None:
            running.kill()
            running.wait()


def rows(folder: Path, query: str) -> list[tuple]:
    connection = sqlite3.connect(folder / "aegis.sqlite3", timeout=30)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def children_of(pid: int) -> list[int]:
    """Processes of the sessions that the command has started."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(status.parent.name))
    return found


def test_sources_come_by_themselves_and_all_ends_together(up, environment, tmp_path):
    running, port = up
    query = "SELECT count(*) FROM imports_importrun WHERE status = 'succeeded' AND trigger = 'schedule'"
    until = time.monotonic() + PATIENCE
    while rows(tmp_path, query) != [(len(SLUGS),)] and time.monotonic() < until and running.poll() is None:
        time.sleep(0.5)
    log = (tmp_path / "log").read_text()
    assert rows(tmp_path, query) == [(len(SLUGS),)], log
    assert json.load(urlopen(f"http://127.0.0.1:{port}/health")) == {"status": "ok"}
    started = children_of(running.pid)
    assert len(started) == 3
    running.send_signal(signal.SIGINT)
    assert running.wait(60) == 0
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
    assert "Stopping ..." in (tmp_path / "log").read_text()
    scheduled = manage(environment, "catalog_digest")
    manage(environment, "import_source", "--all", "--force", "--json")
    assert manage(environment, "catalog_digest") == scheduled


def test_one_that_dies_takes_the_others_along_and_says_so(up, tmp_path):
    running, _ = up
    until = time.monotonic() + PATIENCE
    while len(children_of(running.pid)) < 3 and time.monotonic() < until:
        time.sleep(0.1)
    started = children_of(running.pid)
    beat = next(pid for pid in started if b"beat" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(beat, signal.SIGKILL)
    assert running.wait(60) == 1
    assert "beat ended with status -9: stopping the others." in (tmp_path / "log").read_text()
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


CRASHING = """
import os
import signal

from celery.signals import worker_process_init

from aegis.celery import app


@worker_process_init.connect
def crash(**_):
    from imports import engine

    whole = engine.parse_file

    def parse_file(source, file):
        if source.slug == "lolbas":
            os.kill(os.getpid(), signal.SIGSEGV)
        if source.slug == "caldera":
            raise MemoryError
        return whole(source, file)

    engine.parse_file = parse_file
"""
ASK = "from imports.queueing import queue_import; queue_import({slug!r}, trigger='api')"


def ended(environment: dict[str, str], folder: Path, slug: str) -> tuple[str, str]:
    """Status and error of a run that a worker was asked for, once it has ended."""
    manage(environment, "shell", "-v", "0", "-c", ASK.format(slug=slug))
    until = time.monotonic() + PATIENCE
    query = "SELECT status, error FROM imports_importrun WHERE id = (SELECT max(id) FROM imports_importrun)"
    while (run := rows(folder, query)[0])[0] in ("queued", "running") and time.monotonic() < until:
        time.sleep(0.2)
    return run


def test_worker_outlives_its_processes_and_says_how_they_died(environment, tmp_path):
    (tmp_path / "crashing.py").write_text(CRASHING)
    command = [sys.executable, "-m", "celery", "-q", "-A", "crashing", "worker", "-c", "1", "--without-mingle"]
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(command, cwd=ROOT, env=environment | {"PYTHONPATH": paths}, stdout=log, stderr=log)
    try:
        status, error = ended(environment, tmp_path, "lolbas")
        death = error.partition(" ended with ")[2].partition(". ")[0]
        assert (status, death) == ("abandoned", "signal 11 (SIGSEGV) while reading yml/OSBinaries/Ferrytool.yml")
        status, error = ended(environment, tmp_path, "caldera")
        assert (status, error.partition(" while ")[0]) == ("failed", "memory ran out")
        (idle,) = children_of(worker.pid)
        os.kill(idle, signal.SIGKILL)
        assert ended(environment, tmp_path, "sigma") == ("succeeded", "")
        assert worker.poll() is None, (tmp_path / "log").read_text()
    finally:
        worker.kill()
        worker.wait()
