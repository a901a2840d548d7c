"""What the database itself refuses, whoever asks: to forget who had a hand in a test, and to let them decide on it.

SQLite drops the triggers of a table that a migration rebuilds: such a migration calls `install` again at its end.
"""

from typing import Final

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

APPEND_ONLY: Final = "Involvement in a test is kept for ever: it is neither changed nor deleted."
INVOLVED_DECIDER: Final = "Four eyes: whoever had a hand in a test does not decide on it."
DECIDER_INVOLVED: Final = "Four eyes: whoever decided on a test has no hand in it while the decision stands."

# (name, when it fires, condition, message); NEW and OLD read alike in both databases.
_TRIGGERS: Final = (
    ("involvement_kept", "UPDATE", "coverage_testinvolvement", "true", APPEND_ONLY),
    ("involvement_not_deleted", "DELETE", "coverage_testinvolvement", "true", APPEND_ONLY),
    (
        "decider_was_not_involved",
        "UPDATE",
        "coverage_test",
        """NEW.state IN ('validated', 'rejected') AND EXISTS (
            SELECT 1 FROM coverage_testinvolvement AS involvement
            WHERE involvement.test_id = NEW.id AND involvement.user_id = NEW.decided_by_id)""",
        INVOLVED_DECIDER,
    ),
    (
        "involved_did_not_decide",
        "INSERT",
        "coverage_testinvolvement",
        """EXISTS (
            SELECT 1 FROM coverage_test AS test
            WHERE test.id = NEW.test_id AND test.state IN ('validated', 'rejected') AND test.decided_by_id = NEW.user_id)""",
        DECIDER_INVOLVED,
    ),
)
_SQLITE: Final = (
    """CREATE TRIGGER IF NOT EXISTS coverage_{name} BEFORE {event} ON {table} WHEN {condition}
BEGIN SELECT RAISE(ABORT, '{message}'); END""",
)
_POSTGRESQL: Final = (
    """CREATE OR REPLACE FUNCTION coverage_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF {condition} THEN
    RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$""",
    """CREATE OR REPLACE TRIGGER coverage_{name} BEFORE {event} ON {table}
FOR EACH ROW EXECUTE FUNCTION coverage_{name}()""",
)


def install(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the triggers that are not there: a forward step of a migration."""
    statements = _POSTGRESQL if schema_editor.connection.vendor == "postgresql" else _SQLITE
    for name, event, table, condition, message in _TRIGGERS:
        for statement in statements:
            schema_editor.execute(
                statement.format(name=name, event=event, table=table, condition=condition, message=message)
            )


def remove(_apps: object, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers: the backward step."""
    on_postgresql = schema_editor.connection.vendor == "postgresql"
    for name, _event, table, *_ in _TRIGGERS:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS coverage_{name}" + (f" ON {table}" if on_postgresql else ""))
        if on_postgresql:
            schema_editor.execute(f"DROP FUNCTION IF EXISTS coverage_{name}()")
