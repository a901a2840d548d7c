"""What the shell of every page asks: how much there is, what waits for the visitor, and whether some of it are samples."""

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db.models import Count, QuerySet, Value

from catalog.models import DetectionRule, TestTemplate
from coverage.models import Test
from coverage.my_work import to_close, to_decide, to_finish, to_read, to_review
from imports.models import DataSource
from intel.models import IntelItem, ThreatActor

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from aegis.accounts.models import User


class LibraryNumbers:
    """Templates, rules, actors, live tests, sampled sources, and what waits for `visitor`: one query, when somebody asks."""

    def __init__(self, visitor: "User | AnonymousUser | None" = None) -> None:
        self.visitor = visitor

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
    def tests(self) -> int:
        """Tests that are not archived."""
        return self._numbers["tests"]

    @property
    def news(self) -> int:
        """Items of intelligence that nobody has decided on."""
        return self._numbers["news"]

    @property
    def waiting(self) -> int:
        """Tests to finish, tests to decide on, techniques to review, gaps to close and news to read, for the visitor."""
        return sum(self._numbers[kind] for kind in ("finish", "decide", "review", "close", "read"))

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
        tests = _counted("tests", Test.objects.live())
        news = _counted("news", IntelItem.objects.open())
        return defaultdict(int, templates.union(rules, actors, samples, tests, news, *self._waiting(), all=True))

    def _waiting(self) -> list[Any]:
        user = self.visitor
        if user is None or not user.pk or user.is_anonymous:
            return []
        kinds: dict[str, QuerySet[Any]] = {
            "finish": to_finish(user),
            "decide": to_decide(user),
            "review": to_review(user),
            "close": to_close(user),
            "read": to_read(user),
        }
        return [_counted(kind, rows) for kind, rows in kinds.items()]


def _counted(kind: str, rows: QuerySet[Any]) -> Any:
    """One row: `kind`, and how many `rows` there are. Any column counted by name would keep PostgreSQL from its indexes."""
    return rows.order_by().annotate(kind=Value(kind)).values_list("kind").annotate(number=Count("*"))
