"""A database that is behind this version of Aegis: its migrations were not run after an upgrade."""

import re
from functools import cache
from typing import Final

from django.db import OperationalError, ProgrammingError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

WHAT_TO_DO: Final = "Run `manage.py migrate`; after an upgrade, make a backup first."
BEHIND: Final = "The database does not fit this version of Aegis: a table or column is missing."
LACKS_ON_SQLITE: Final = re.compile(r"no such (table|column): |table \S+ has no column named ")
LACKS_ON_POSTGRESQL: Final = {"42P01", "42703"}
"""`undefined_table` and `undefined_column` of PostgreSQL's error codes (documentation, appendix A)."""


def is_behind(error: BaseException | None) -> bool:
    """Whether this is what a database raises that lacks a table or column. Asks no database."""
    if isinstance(error, ProgrammingError):
        return getattr(error.__cause__, "sqlstate", "") in LACKS_ON_POSTGRESQL
    return isinstance(error, OperationalError) and LACKS_ON_SQLITE.match(str(error)) is not None


def missing_migrations() -> list[str]:
    """`app.name` of the last migration of each app that this code has and the database has not. Raises DatabaseError."""
    missing = _newest_migrations() - set(MigrationRecorder(connection).applied_migrations())
    return sorted(".".join(one) for one in missing)


@cache
def _newest_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.leaf_nodes())
