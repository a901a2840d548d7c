"""The days that the filters take: in UTC, from their first moment to their last, by the index of the column."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from django.db import connection

from aegis.audit.filters import AuditLogFilter
from aegis.audit.models import AuditLog

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 29)  # clocks in Europe change: a day in UTC is not theirs
BEGINS = datetime(2026, 3, 29, tzinfo=UTC)
TICK = timedelta(microseconds=1)
MOMENTS = (
    BEGINS - timedelta(days=1),
    BEGINS - TICK,
    BEGINS,
    BEGINS + TICK,
    datetime(2026, 3, 29, 1, 30, tzinfo=timezone(timedelta(hours=2))),  # the 28th in UTC
    datetime(2026, 3, 28, 23, 30, tzinfo=timezone(timedelta(hours=-2))),  # the 29th in UTC
    BEGINS + timedelta(days=1) - TICK,
    BEGINS + timedelta(days=1),
)


@pytest.fixture
def _trail():
    last = AuditLog.objects.count() + 1
    AuditLog.objects.bulk_create(AuditLog(id=last + n, at=at, action="day.tested") for n, at in enumerate(MOMENTS))


def found(**asked):
    rows = AuditLog.objects.filter(action="day.tested")
    return set(AuditLogFilter({name: str(day) for name, day in asked.items()}, rows).qs.values_list("at", flat=True))


@pytest.mark.usefixtures("_trail")
@pytest.mark.parametrize("asked", [{"since": DAY}, {"until": DAY}, {"since": DAY, "until": DAY}], ids=" ".join)
def test_a_day_has_all_of_its_moments_and_no_other(asked):
    lookups = {"since": "at__date__gte", "until": "at__date__lte"}
    by_the_day_of_each_row = AuditLog.objects.filter(
        action="day.tested", **{lookups[name]: day for name, day in asked.items()}
    )
    assert found(**asked) == set(by_the_day_of_each_row.values_list("at", flat=True))
    if len(asked) == 2:
        assert found(**asked) == {at for at in MOMENTS if BEGINS <= at < BEGINS + timedelta(days=1)}


@pytest.mark.usefixtures("_trail")
def test_the_first_and_the_last_day_that_there_are_can_be_asked_for():
    assert found(since=date.min, until=date.max) == {at.astimezone(UTC) for at in MOMENTS}
    assert found(since=date.max) == found(until=date.min) == set()


def test_days_are_found_by_the_index():
    rows = AuditLogFilter({"since": "2026-03-29", "until": "2026-03-29"}, AuditLog.objects.order_by()).qs
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        assert "Index Cond: ((at >=" in rows.explain()
    else:
        assert "(at>? AND at<?)" in rows.explain()
