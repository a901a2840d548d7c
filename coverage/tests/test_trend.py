"""The daily snapshots: one row a day and tactic, the same when taken twice, and with the release that explains a jump."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from aegis.accounts.tests.factories import bearer
from catalog.models import AttackRelease
from catalog.tests.factories import make_release, make_rule, make_tactic, make_technique, make_template
from coverage.figures.standing import FIGURES, Standing
from coverage.figures.trend import trend
from coverage.models import CoverageSnapshot
from coverage.services.snapshots import take_snapshot
from coverage.tasks import take_snapshot as task
from coverage.tests.factories import make_test
from imports.models import ImportRun
from imports.signals import import_finished
from imports.tests.factories import make_run

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 1)


@pytest.fixture
def world():
    """Three techniques: one of both tactics with a rule and a proof, one with a template and a proven gap, one bare."""
    make_release()
    make_tactic("execution")
    make_tactic("discovery")
    make_technique("T9001", tactics=["execution", "discovery"])
    make_technique("T9002", tactics=["discovery"])
    make_technique("T9003", tactics=["discovery"])
    make_technique("T9004", tactics=["execution"], deprecated=True)
    make_rule("T9001")
    make_template("T9002")
    make_test("T9001", state="validated", outcome="alerted")
    make_test("T9002", state="validated", outcome="missed")


def kept(tactic=""):
    row = CoverageSnapshot.objects.get(tactic=tactic)
    return {name: getattr(row, name) for name in FIGURES}


def on(monkeypatch, day):
    monkeypatch.setattr(timezone, "now", lambda: datetime(day.year, day.month, day.day, 23, 59, tzinfo=UTC))


def test_a_snapshot_holds_all_techniques_and_each_tactic(world):
    take_snapshot()
    assert list(CoverageSnapshot.objects.values_list("tactic", flat=True)) == ["", "discovery", "execution"]
    assert kept() == {
        "techniques": 3,
        "claimed": 1,
        "testable": 1,
        "validated": 1,
        "partial": 0,
        "in_progress": 0,
        "not_covered": 2,
        "proven": 1,
        "proven_gaps": 1,
    }
    assert (kept("execution")["techniques"], kept("execution")["proven"]) == (1, 1)
    assert (kept("discovery")["techniques"], kept("discovery")["proven_gaps"]) == (3, 1)


def test_a_second_snapshot_of_a_day_brings_its_rows_up_to_date(world):
    take_snapshot()
    make_test("T9003", state="validated", outcome="prevented")
    take_snapshot()
    assert CoverageSnapshot.objects.count() == 3
    assert kept()["proven"] == 2
    assert kept() == Standing.now().whole.counts


def test_days_stay_and_a_new_release_is_marked(world, monkeypatch):
    on(monkeypatch, DAY)
    take_snapshot()
    AttackRelease.objects.update(version="19.0")
    make_technique("T9005")
    on(monkeypatch, DAY + timedelta(days=1))
    take_snapshot()
    on(monkeypatch, DAY + timedelta(days=2))
    take_snapshot()
    days = trend()
    assert [(point.row.day.day, point.row.release[-4:], point.new_release) for point in days] == [
        (1, "18.1", False),
        (2, "19.0", True),
        (3, "19.0", False),
    ]
    assert [(point.figures["techniques"], point.figures["proven_percent"]) for point in days] == [
        (3, 33.3),
        (4, 25.0),
        (4, 25.0),
    ]


def test_a_period_knows_the_day_before_it(world, monkeypatch):
    for day, version in ((DAY, "18.1"), (DAY + timedelta(days=5), "19.0")):
        AttackRelease.objects.update(version=version)
        on(monkeypatch, day)
        take_snapshot()
    assert [point.new_release for point in trend(since=DAY + timedelta(days=1))] == [True]
    assert [point.row.day for point in trend(until=DAY)] == [DAY]
    assert trend("no-such-tactic") == []


def test_nothing_is_kept_before_the_first_import():
    assert take_snapshot() == []
    assert not CoverageSnapshot.objects.exists()


def test_an_import_that_succeeded_keeps_the_day_and_a_preview_does_not(world):
    run = make_run(dry_run=True)
    import_finished.send(sender=ImportRun, run=run)
    assert not CoverageSnapshot.objects.exists()
    run = make_run()
    import_finished.send(sender=ImportRun, run=run)
    assert kept()["techniques"] == 3


def test_command_and_task_keep_the_day(world):
    out = StringIO()
    call_command("take_snapshot", stdout=out)
    assert "(enterprise-attack 18.1): 3 techniques, 1 claimed, 1 proven; 2 tactics." in out.getvalue()
    task()
    assert CoverageSnapshot.objects.count() == 3


def test_the_command_says_when_there_is_nothing_to_keep():
    out = StringIO()
    call_command("take_snapshot", stdout=out)
    assert out.getvalue() == "No snapshot: no ATT&CK release is imported yet.\n"


def test_beat_takes_it_every_hour():
    job = settings.CELERY_BEAT_SCHEDULE["Keep today's coverage"]
    assert (job["task"], job["schedule"]) == (task.name, timedelta(hours=1))


def test_a_snapshot_takes_few_queries_however_many_techniques(world, django_assert_max_num_queries):
    for number in range(30):
        make_technique(f"T8{number:03}", tactics=["execution", "discovery"])
    with django_assert_max_num_queries(6):
        take_snapshot()


def test_the_api_gives_the_days_of_a_tactic(world, monkeypatch):
    on(monkeypatch, DAY)
    take_snapshot()
    monkeypatch.undo()
    answer = bearer().get("/api/v1/metrics/trend", {"tactic": "discovery", "since": "2026-03-01"}).json()
    (day,) = answer["results"]
    assert answer["tactic"] == "discovery"
    assert (day["day"], day["techniques"], day["proven"], day["proven_percent"]) == ("2026-03-01", 3, 1, 33.3)
    assert (day["release"], day["new_release"]) == ("enterprise-attack 18.1", False)


@pytest.mark.parametrize("query", ["since=yesterday", "until=2026-02-30", "day=1", "tactic=a%00b"])
def test_the_api_refuses_what_it_does_not_understand(query):
    assert bearer().get(f"/api/v1/metrics/trend?{query}").status_code == 400
