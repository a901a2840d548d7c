"""Inserting many plain rows at once, several times faster than model instances: for rows that need no signals and no ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.db import connections, models, router

AS_THEY_ARE = (models.CharField, models.TextField, models.IntegerField, models.BooleanField)
"""Fields whose Python values both databases take as they are."""


def insert_rows(model: type[models.Model], rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert `rows`, each a value for every column (by attribute name, `rule_id`) but the primary key.

    A column that a row lacks gets its field's default. Values are adapted as the model's own `save` would.
    """
    using = router.db_for_write(model)
    connection = connections[using]
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(model._meta.db_table)
    adapted = [(field.attname, field.get_default, _adapter(field, connection)) for field in fields]
    values = (tuple(adapt(row[name] if name in row else default()) for name, default, adapt in adapted) for row in rows)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # COPY: half of the time of an INSERT there goes into parsing statements of thousands of parameters.
            with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in values:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(fields))
            # Names come from the models' own fields, values are parameters.
            cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(values))  # noqa: S608


def _adapter(field: models.Field[Any, Any], connection: Any) -> Callable[[Any], Any]:
    stored = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(stored, AS_THEY_ARE):
        return lambda value: value
    return lambda value: field.get_db_prep_save(value, connection=connection)
