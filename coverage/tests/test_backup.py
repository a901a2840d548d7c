"""What was backed up is what was there: the same catalogue, trail, files and verdicts, started from the copy alone."""

import io
import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from aegis.accounts.tests.factories import make_user
from aegis.lib.evidence_storage import evidence_storage, snapshot_storage
from coverage.models import Evidence
from coverage.services.evidence import attach_evidence
from coverage.tests.factories import make_test
from imports.digest import catalog_digest
from imports.tests.small_world import SmallWorld

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]


class NoVariables:
    """An environment that names no bucket."""

    def str(self, name, default=""):
        return default


@pytest.fixture
def installation(settings, tmp_path):
    """A folder with a catalogue, a test with evidence, and a trail of how they came."""
    if connection.vendor != "sqlite":
        pytest.skip("an embedded installation keeps its rows in SQLite")
    folder = tmp_path / "var"
    settings.DATA_DIR = folder
    storage = {
        "evidence": evidence_storage(NoVariables(), folder / "evidence"),
        "snapshots": snapshot_storage(NoVariables(), folder / "snapshots"),
    }
    settings.STORAGES = settings.STORAGES | storage
    folder.mkdir()
    (folder / "secret_key").write_text("made on first use")
    world = SmallWorld(tmp_path / "world")
    world.rule("a", title="A rule")
    world.run("sigma")
    test = make_test()
    attach_evidence(test=test, by=test.created_by, side="red", name="run.exe", file=io.BytesIO(b"MZ dangerous"))
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"AEGIS_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "aegis.settings"}
    environment |= {"DATABASE_URL": ""}
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.django_db(transaction=True)
def test_copy_made_while_others_write_is_a_whole_installation(installation, tmp_path):
    digests = catalog_digest()
    evidence = Evidence.objects.get()
    copy = tmp_path / "backups" / "today"
    writer = sqlite3.connect(connection.settings_dict["NAME"], timeout=30)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE accounts_user SET email = 'half-written'")
    call_command("backup", to=copy, stdout=io.StringIO())
    writer.rollback()
    writer.close()
    make_user(username="later")

    assert sorted(path.name for path in copy.iterdir()) == ["aegis.sqlite3", "evidence", "secret_key", "snapshots"]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert (copy / "secret_key").read_text() == "made on first use"
    with sqlite3.connect(copy / "aegis.sqlite3") as rows:
        assert rows.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        found = rows.execute("SELECT count(*) FROM accounts_user WHERE email = 'half-written' OR username = 'later'")
        assert found.fetchone() == (0,)
        assert rows.execute("SELECT sha256 FROM coverage_evidence").fetchall() == [(evidence.sha256,)]
    rows.close()
    for check in (["verify_audit"], ["verify_evidence"], ["recompute_status", "--check"]):
        told = run(copy, *check)
        assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(run(copy, "catalog_digest", "--json").stdout) == digests


@pytest.mark.django_db(transaction=True)
def test_backup_overwrites_nothing(installation, tmp_path):
    with pytest.raises(CommandError, match="exists: a backup goes into a folder of its own"):
        call_command("backup", to=tmp_path)


@pytest.mark.django_db
def test_what_lies_elsewhere_is_not_half_copied(settings, tmp_path):
    if connection.vendor == "sqlite":
        bucket = {"BACKEND": "aegis.lib.bucket.Bucket", "OPTIONS": {"bucket_name": "evidence"}}
        settings.STORAGES = settings.STORAGES | {"evidence": bucket}
    with pytest.raises(CommandError, match=r"No backup: .*docs/operations\.md"):
        call_command("backup", to=tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
