"""Measure what Aegis promises about speed and memory, as ratios within one run: `make bench`, with AEGIS_MIRROR set.

The peer is pySigma loading SigmaHQ's `rules*` folders alone; the floor is a bare CSafeLoader pass over the same files. Each
figure is a process of its own, so that peak memory is its own too. Machines are noisy: read the ratios, not the seconds.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from secrets import token_urlsafe

from with_postgres import server

ROOT = Path(__file__).resolve().parent.parent
SIGMA = "codeload.github.com/SigmaHQ/sigma/tar.gz/refs/heads/master"
ROUNDS = 20

PEER = """
import sys
from pathlib import Path
from sigma.collection import SigmaCollection
folders = [folder for folder in Path(sys.argv[1]).glob("rules*") if folder.is_dir()]
print(len(SigmaCollection.load_ruleset(folders, collect_errors=True).rules), "rules")
"""
FLOOR = """
import sys
from pathlib import Path
import yaml
files = [file for folder in Path(sys.argv[1]).glob("rules*") for file in folder.rglob("*.yml")]
print(len([list(yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader)) for file in files]), "files")
"""
PAGES = """
import statistics, sys, time
import django
django.setup()
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from aegis.accounts.models import User
user, _ = User.objects.get_or_create(username="bench", defaults={"role": "viewer"})
client = Client(HTTP_HOST="localhost")
client.force_login(user)
for path in sys.argv[2:]:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path)
    asked = len(queries)
    assert answer.status_code == 200, (path, answer.status_code)
    times = []
    for _ in range(int(sys.argv[1])):
        start = time.perf_counter()
        client.get(path)
        times.append(1000 * (time.perf_counter() - start))
    print(f"{path[:60]:<60} {statistics.median(times):7.0f} ms  {asked:3} queries  {len(answer.content) / 1024:6.0f} kB")
"""
PLANT = """
import django
django.setup()
from coverage.tests.many_tests import plant
plant(20_000)
"""
AUDIT = """
import sys, time
from threading import Thread
import django
django.setup()
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from aegis.audit.recording import Subject, record
from aegis.audit.verification import Verification
writers, each = int(sys.argv[1]), int(sys.argv[2])
def append(number):
    with transaction.atomic():
        record(None, "bench.written", Subject("bench", str(number)), before={"number": number}, after={"number": number + 1})
def write():
    for number in range(each):
        append(number)
    connection.close()
with CaptureQueriesContext(connection) as queries:
    append(0)
threads = [Thread(target=write) for _ in range(writers)]
start = time.perf_counter()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
took = time.perf_counter() - start
start, walk = time.perf_counter(), Verification()
assert list(walk.flaws()) == []
walked = walk.rows / (time.perf_counter() - start)
rows, asked = writers * each / took, len(queries) - 2
print(f"{writers} at once: {rows:.0f} rows/s (8: at least 200), {asked} queries an append; verified {walked:,.0f} rows/s")
"""
OVERLAYS = "actor=G0016&actor=G0007&actor=G0032&campaign=1&framework=nist-800-53-rev5"
MATRICES = ("/matrix", f"/matrix?{OVERLAYS}", f"/matrix?subs=all&{OVERLAYS}", f"/matrix?view=table&{OVERLAYS}")
PATHS = ("/", "/matrix", "/matrix?subs=all", "/techniques", "/techniques/T1059.001", "/rules", "/templates", "/sources")


class Measured:
    """One finished process: seconds of wall clock, and peak memory in MB."""

    def __init__(self, *command: str, env: dict[str, str] | None = None, show: bool = False) -> None:
        before, quiet = time.perf_counter(), None if show else subprocess.DEVNULL
        process = subprocess.Popen(command, env={**os.environ, **(env or {})}, cwd=ROOT, stdout=quiet, stderr=quiet)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds = time.perf_counter() - before
        self.megabytes = usage.ru_maxrss / 1024
        if process.returncode:
            sys.exit(f"bench: {' '.join(command[:4])} ended with {process.returncode}")


def main() -> None:
    """Measure and print everything."""
    mirror = Path(os.environ.get("AEGIS_MIRROR") or ROOT.parent / "shared" / "mirror").resolve()
    if not (mirror / SIGMA).is_file():
        sys.exit(f"bench: no mirror of the upstreams at {mirror}: set AEGIS_MIRROR")
    with tempfile.TemporaryDirectory(prefix="aegis-bench-") as name:
        folder = Path(name)
        peer = _peers(mirror, folder)
        env = {"AEGIS_DATA_DIR": str(folder / "data"), "DATABASE_URL": "", "LOG_LEVEL": "WARNING"}
        cold = _imports("SQLite", mirror, env, peer)
        with server() as url:
            keys = {name: token_urlsafe(64) for name in ("SECRET_KEY", "JWT_SIGNING_KEY", "AUDIT_HMAC_KEY")}
            postgres = {**env, **keys, "DATABASE_URL": url, "AEGIS_HTTPS": "false"}
            on_postgres = _imports("PostgreSQL", mirror, postgres, peer)
            _matrices("PostgreSQL", postgres)
            _audit("PostgreSQL", postgres)
        _row("PostgreSQL cold / SQLite cold", on_postgres / cold, "at most 1.3")
        _matrices("SQLite", env)
        _audit("SQLite", env)
        print(f"\nPages on SQLite, whole catalogue, median of {ROUNDS} (server time)")
        Measured(
            sys.executable,
            "-c",
            PAGES,
            str(ROUNDS),
            *PATHS,
            env={**env, "DJANGO_SETTINGS_MODULE": "aegis.settings"},
            show=True,
        )


def _matrices(database: str, env: dict[str, str]) -> None:
    """Plant 20,000 tests in the imported catalogue, and measure the matrix over them with five overlays."""
    print(f"\nThe matrix on {database} over 20,000 tests: under 200 ms and at most 10 queries")
    settings = {**env, "DJANGO_SETTINGS_MODULE": "aegis.settings"}
    Measured(sys.executable, "-c", PLANT, env=settings)
    Measured(sys.executable, "-c", PAGES, str(ROUNDS), *MATRICES, env=settings, show=True)


def _audit(database: str, env: dict[str, str]) -> None:
    """Append to the audit trail, alone and with eight writers who wait for each other, and walk it."""
    print(f"\nThe audit trail on {database}")
    settings = {**env, "DJANGO_SETTINGS_MODULE": "aegis.settings"}
    for writers in ("1", "8"):
        Measured(sys.executable, "-c", AUDIT, writers, "250", env=settings, show=True)


def _peers(mirror: Path, folder: Path) -> float:
    """Seconds that the peer takes."""
    with tarfile.open(mirror / SIGMA) as archive:
        members = [member for member in archive if member.isreg() and "/rules" in member.name]
        for member in members:
            target = folder / "sigma" / Path(member.name).relative_to(Path(member.name).parts[0])
            target.parent.mkdir(parents=True, exist_ok=True)
            source = archive.extractfile(member)
            if source is not None:
                with target.open("wb") as file:
                    shutil.copyfileobj(source, file)
    floor = Measured(sys.executable, "-c", FLOOR, str(folder / "sigma"))
    peer = Measured(sys.executable, "-c", PEER, str(folder / "sigma"))
    print(f"floor: CSafeLoader over SigmaHQ rules*   {floor.seconds:6.1f} s  {floor.megabytes:4.0f} MB")
    print(f"peer:  pySigma loads SigmaHQ rules*      {peer.seconds:6.1f} s  {peer.megabytes:4.0f} MB\n")
    return peer.seconds


def _imports(database: str, mirror: Path, env: dict[str, str], peer: float) -> float:
    """Import everything cold and again. Returns the seconds of the cold import."""
    manage = (sys.executable, "manage.py")
    Measured(*manage, "migrate", "-v0", env=env)
    command = (*manage, "import_source", "--all", "--mirror", str(mirror), "--json")
    cold, again = (Measured(*command, env=env) for _ in range(2))
    forced = Measured(*command, "--force", env=env)
    print(
        f"{database}: nine sources cold {cold.seconds:.1f} s, again {again.seconds:.1f} s, compared anew {forced.seconds:.1f} s"
    )
    _row(f"{database} cold / peer", cold.seconds / peer, "at most 1")
    _row(f"{database} again / cold", again.seconds / cold.seconds, "under 0.25")
    _row(f"{database} compared anew / cold", forced.seconds / cold.seconds, "")
    _row(f"{database} peak memory in MB", max(cold.megabytes, again.megabytes, forced.megabytes), "under 500")
    return cold.seconds


def _row(name: str, figure: float, promise: str) -> None:
    print(f"  {name:<36} {figure:8.2f}  {promise}")


if __name__ == "__main__":
    main()
