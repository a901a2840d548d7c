"""The database itself refuses to change or delete what was recorded."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from aegis.audit import triggers
from aegis.audit.models import AuditHead, AuditLog

LOG = triggers.LOG
REPLACES = {
    "sqlite": f"INSERT OR REPLACE INTO {LOG} SELECT * FROM {LOG} WHERE id = 3",
    "postgresql": f"INSERT INTO {LOG} SELECT * FROM {LOG} WHERE id = 3 ON CONFLICT (id) DO UPDATE SET note = 'replaced'",
}
STATEMENTS = [
    f"UPDATE {LOG} SET note = 'edited' WHERE id = 3",
    f"UPDATE {LOG} SET id = 99 WHERE id = 3",
    f"DELETE FROM {LOG} WHERE id = 12",
    f"DELETE FROM {LOG}",
    f"DELETE FROM {triggers.HEAD}",
    REPLACES[connection.vendor],
]
if connection.vendor == "postgresql":
    STATEMENTS += [f"TRUNCATE {LOG}", f"TRUNCATE {triggers.HEAD}"]


@pytest.mark.parametrize("sql", STATEMENTS)
def test_database_refuses(chain, sql):
    with pytest.raises(IntegrityError, match=triggers.REFUSAL), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert AuditLog.objects.count() == 12
    assert AuditHead.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda: AuditLog.objects.filter(id=3).update(note="edited"),
        lambda: AuditLog.objects.get(id=3).save(),
        lambda: AuditLog.objects.get(id=3).delete(),
        lambda: AuditLog.objects.all().delete(),
    ],
)
def test_models_are_refused_too(chain, change):
    with pytest.raises(DatabaseError), transaction.atomic():
        change()


def test_there_is_never_a_second_head(db):
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditHead.objects.create(id=2, mac="", key_id="", signature="")


def test_all_triggers_stand_and_a_dropped_one_is_named(db):
    assert triggers.missing(connection) == []
    triggers.remove(connection)
    assert "audit_log" in triggers.missing(connection)[0]
    triggers.install(connection)
    assert triggers.missing(connection) == []
