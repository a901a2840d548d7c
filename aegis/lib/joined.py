"""Values of a group, joined by commas in the database."""

from typing import Any

from django.db.models import Aggregate, CharField, Field


class Joined(Aggregate):
    """`Joined("rule_id")`: the values as text in no order, each as often as it stands there. For values without commas."""

    function = "GROUP_CONCAT"
    template = "%(function)s(%(expressions)s)"
    output_field: "Field[Any, Any]" = CharField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL joins texts alone, and wants to be told by what."""
        template = "STRING_AGG(%(expressions)s::text, ',')"
        return self.as_sql(compiler, connection, template=template, **context)
