"""A short chain, and the hands of somebody who owns the database."""

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from aegis.audit import triggers
from aegis.audit.recording import Subject, record

UNGUARDED = {
    "sqlite": ["PRAGMA ignore_check_constraints = ON"],
    "postgresql": [
        f"ALTER TABLE {triggers.LOG} ALTER COLUMN before TYPE text",
        f"ALTER TABLE {triggers.LOG} DROP CONSTRAINT audit_auditlog_id_check",
    ],
}


@pytest.fixture
def chain(db) -> list[str]:
    """Twelve rows of the system; their MACs in order."""
    return [
        record(
            None, f"test.step_{n % 3}", Subject("thing", str(n), f"Thing {n}"), before={"n": n}, after={"n": n + 1}
        ).mac
        for n in range(1, 13)
    ]


@pytest.fixture
def owner(chain) -> Iterator[Callable[..., None]]:
    """The chain, and a way to run SQL as the owner of the database, who has dropped triggers and checks."""
    triggers.remove(connection)
    with connection.cursor() as cursor:
        for statement in UNGUARDED[connection.vendor]:
            cursor.execute(statement)

    def run(sql: str, *parameters: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, parameters)

    yield run
    if connection.vendor == "sqlite":
        run("PRAGMA ignore_check_constraints = OFF")


@pytest.fixture
def client_of(db) -> Callable[[Role], Client]:
    """A browser in which a user of the role is logged in."""

    def log_in(role: Role) -> Client:
        client = Client()
        client.force_login(make_user(role, username=f"a {role}"))
        return client

    return log_in
