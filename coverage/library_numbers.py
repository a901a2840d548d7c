"""How much the library holds, for the navigation."""

from functools import cached_property
from typing import Any

from django.db.models import Count, QuerySet, Value

from catalog.models import DetectionRule, TestTemplate
from intel.models import ThreatActor


class LibraryNumbers:
    """Current templates, listed rules and active actors: counted together, with one query, when somebody first asks."""

    @property
    def templates(self) -> int:
        """Templates that upstream publishes."""
        return self._numbers["templates"]

    @property
    def rules(self) -> int:
        """Rules that count in lists and figures."""
        return self._numbers["rules"]

    @property
    def actors(self) -> int:
        """Actors that are neither revoked nor deprecated."""
        return self._numbers["actors"]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        templates = _counted("templates", TestTemplate.objects.current())
        rules = _counted("rules", DetectionRule.objects.listed())
        actors = _counted("actors", ThreatActor.objects.active())
        return dict(templates.union(rules, actors, all=True))


def _counted(kind: str, rows: QuerySet[Any]) -> Any:
    """One row: `kind`, and how many `rows` there are."""
    return rows.order_by().annotate(kind=Value(kind)).values_list("kind").annotate(number=Count("pk"))
