"""What every page asks of the library: how much it holds, and whether some of it are samples."""

from collections import defaultdict
from functools import cached_property
from typing import Any

from django.db.models import Count, QuerySet, Value

from catalog.models import DetectionRule, TestTemplate
from imports.models import DataSource
from intel.models import ThreatActor


class LibraryNumbers:
    """Current templates, listed rules, active actors, sampled sources: one query for all, when somebody first asks."""

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

    @property
    def samples(self) -> int:
        """Sources that were imported from the samples."""
        return self._numbers["samples"]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        templates = _counted("templates", TestTemplate.objects.current())
        rules = _counted("rules", DetectionRule.objects.listed())
        actors = _counted("actors", ThreatActor.objects.active())
        samples = _counted("samples", DataSource.objects.filter(is_sample=True))
        return defaultdict(int, templates.union(rules, actors, samples, all=True))


def _counted(kind: str, rows: QuerySet[Any]) -> Any:
    """One row: `kind`, and how many `rows` there are."""
    return rows.order_by().annotate(kind=Value(kind)).values_list("kind").annotate(number=Count("pk"))
