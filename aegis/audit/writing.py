"""The statements of an append, written out: while one writer is between them, all others wait.

On PostgreSQL an append is two round trips: lock the head, then the row and the new head in one statement.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from django.db import connection

from aegis.audit import triggers
from aegis.audit.chain import Key
from aegis.audit.models import AuditLog

FIELDS: Final = {field.attname: field for field in AuditLog._meta.concrete_fields}
INSERT: Final = f"INSERT INTO {triggers.LOG} ({', '.join(FIELDS)}) VALUES ({', '.join(['%s'] * len(FIELDS))})"  # noqa: S608  constants
ADVANCE: Final = f"UPDATE {triggers.HEAD} SET size = %s, mac = %s, key_id = %s, signature = %s WHERE id = 1"  # noqa: S608
BOTH: Final = f"WITH head AS ({ADVANCE}) {INSERT}"
HEAD: Final = f"SELECT size, mac, key_id, signature, {{now}} FROM {triggers.HEAD} WHERE id = 1{{lock}}"  # noqa: S608
LOCKED: Final = {
    "postgresql": HEAD.format(now="CLOCK_TIMESTAMP()", lock=" FOR UPDATE"),
    # A transaction of SQLite has the whole database to itself from its first statement on.
    "sqlite": HEAD.format(now="STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')", lock=""),
}


class Head(NamedTuple):
    """How far the chain goes, and the database's clock at this moment (that of the transaction is when it began)."""

    size: int
    mac: str
    key_id: str
    signature: str
    now: datetime


def locked_head() -> Head | None:
    """The head, locked until the transaction ends; None if it is gone."""
    with connection.cursor() as cursor:
        cursor.execute(LOCKED[connection.vendor], [])
        row = cursor.fetchone()
    return Head(row[0], row[1], row[2], row[3], _moment(row[4])) if row else None


def write(rows: Sequence[AuditLog], key: Key) -> None:
    """Add the rows, and move the head on to the last of them."""
    last = rows[-1]
    head: list[Any] = [last.id, last.mac, key.id, key.signature_of(last.id, last.mac)]
    *others, values = [_values(row) for row in rows]
    with connection.cursor() as cursor:
        if others:
            cursor.executemany(INSERT, others)
        if connection.vendor == "postgresql":
            cursor.execute(BOTH, [*head, *values])
        else:
            cursor.execute(INSERT, values)
            cursor.execute(ADVANCE, head)


def _values(row: AuditLog) -> list[Any]:
    return [field.get_db_prep_save(getattr(row, name), connection) for name, field in FIELDS.items()]


def _moment(value: Any) -> datetime:
    """SQLite tells the time as text, in UTC."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)
