"""Append-only, said to the database itself: triggers that refuse to change or delete rows of the trail.

They stop mistakes, and an application that was taken over. Who owns the database can drop them: the chain is for that.
"""

from typing import Any, Final

LOG: Final = "audit_auditlog"
HEAD: Final = "audit_audithead"
REFUSAL: Final = "rows of the audit trail are never changed or deleted"

FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
POSTGRESQL: Final = {
    "audit_log_append_only": f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {LOG}",
    "audit_head_stays": f"BEFORE DELETE OR TRUNCATE ON {HEAD}",
}
SQLITE: Final = {
    "audit_log_no_update": f"BEFORE UPDATE ON {LOG}",
    "audit_log_no_delete": f"BEFORE DELETE ON {LOG}",
    # INSERT OR REPLACE deletes the old row without firing the trigger for deletions.
    "audit_log_no_replace": f"BEFORE INSERT ON {LOG} WHEN EXISTS (SELECT 1 FROM {LOG} WHERE id = NEW.id)",  # noqa: S608
    "audit_head_no_delete": f"BEFORE DELETE ON {HEAD}",
}


def install(connection: Any) -> None:
    """Create the triggers. Raises OperationalError or ProgrammingError if they stand already."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(FUNCTION)
            for name, event in POSTGRESQL.items():
                cursor.execute(f"CREATE TRIGGER {name} {event} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()")
        else:
            for name, event in SQLITE.items():
                cursor.execute(f"CREATE TRIGGER {name} {event} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")


def remove(connection: Any) -> None:
    """Drop the triggers: to take the migration back, and for the tests."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name, event in POSTGRESQL.items():
                cursor.execute(f"DROP TRIGGER {name} ON {event.split()[-1]}")
            cursor.execute("DROP FUNCTION audit_refuse")
        else:
            for name in SQLITE:
                cursor.execute(f"DROP TRIGGER {name}")


def missing(connection: Any) -> list[str]:
    """The names of the triggers that are gone, or switched off."""
    if connection.vendor == "postgresql":
        wanted, query = POSTGRESQL, "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') AND NOT tgisinternal"
    else:
        wanted, query = SQLITE, "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        standing = {name for (name,) in cursor.fetchall()}
    return [name for name in wanted if name not in standing]
