"""A source's row and beat's table say the same, whichever was edited; a tick is claimed once."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from aegis.audit.models import AuditLog
from imports.models import DataSource, ImportRun
from imports.schedule import LONG_AGO, RETRY_AFTER, TICK, claim_tick
from imports.services import describe_sources, execute, request_import
from imports.tasks import sync_on_schedule
from imports.tests.small_world import SmallWorld

pytestmark = pytest.mark.django_db
Status = ImportRun.Status
DAY = timedelta(days=1)


def task_of(slug: str) -> PeriodicTask:
    return PeriodicTask.objects.select_related("interval").get(name=f"Sync {slug}")


def source_of(slug: str) -> DataSource:
    return DataSource.objects.get(slug=slug)


@pytest.fixture(autouse=True)
def sources() -> None:
    describe_sources()


def test_each_source_starts_with_the_schedule_of_its_upstream():
    days = {slug: every.days for slug, every in DataSource.objects.values_list("slug", "every")}
    assert days == {
        "attack": 1,
        "atomic": 30,
        "sigma": 30,
        "elastic": 90,
        "caldera": 90,
        "lolbas": 90,
        "threat-actors": 90,
        "d3fend": 365,
        "nist-800-53": 365,
        "mappings-explorer": 365,
    }
    tasks = PeriodicTask.objects.filter(task=TICK).values_list("name", "args", "interval__every", "interval__period")
    assert {(name, args, every, unit) for name, args, every, unit in tasks} == {
        (f"Sync {slug}", f'["{slug}"]', number, "days") for slug, number in days.items() if slug != "mappings-explorer"
    }


def test_optional_source_is_scheduled_once_somebody_enables_it():
    source = source_of("mappings-explorer")
    assert (source.enabled, source.is_due) == (False, False)
    source.enabled = True
    source.save()
    assert (task_of("mappings-explorer").enabled, source_of("mappings-explorer").is_due) == (True, True)
    source.enabled = False
    source.save()
    assert not task_of("mappings-explorer").enabled


def test_source_that_was_never_synced_is_due_at_once():
    assert source_of("sigma").is_due
    assert (task_of("sigma").enabled, task_of("sigma").last_run_at) == (True, LONG_AGO)


def test_editing_the_source_edits_beat_and_wakes_it():
    source = source_of("sigma")
    source.every = timedelta(hours=36)
    source.save()
    task = task_of("sigma")
    assert (task.interval.every, task.interval.period, task.enabled) == (36, "hours", True)
    source.enabled = False
    source.save()
    assert not task_of("sigma").enabled
    source.enabled = True
    source.save()
    assert (task_of("sigma").enabled, task_of("sigma").last_run_at) == (True, LONG_AGO)


def test_editing_beat_edits_the_source_and_is_on_record():
    task = task_of("sigma")
    task.interval = IntervalSchedule.objects.get_or_create(every=7, period="days")[0]
    task.save()
    assert source_of("sigma").every == 7 * DAY
    task.enabled = False
    task.save()
    assert not source_of("sigma").enabled
    assert AuditLog.objects.filter(action__in=["source.rescheduled", "source.disabled"]).count() == 2


def test_interval_that_several_sources_share_moves_them_all():
    monthly = IntervalSchedule.objects.get(every=30, period="days")
    monthly.every = 14
    monthly.save()
    assert {source_of(slug).every for slug in ("sigma", "atomic")} == {14 * DAY}
    assert source_of("attack").every == DAY


def test_source_without_a_schedule_is_synced_by_hand_only():
    source = source_of("sigma")
    source.every = None
    source.save()
    assert not task_of("sigma").enabled
    assert (source.next_sync_at, source.is_due) == (None, False)
    assert not claim_tick("sigma")


def test_deleting_beats_row_leaves_the_source_to_people():
    task_of("sigma").delete()
    assert source_of("sigma").every is None


def test_describing_sources_again_keeps_what_was_edited():
    DataSource.objects.filter(slug="sigma").update(every=7 * DAY, enabled=False)
    describe_sources()
    assert (source_of("sigma").every, source_of("sigma").enabled) == (7 * DAY, False)


def test_tick_of_two_beats_is_claimed_once():
    for _ in range(10):
        sync_on_schedule("sigma")
    assert list(ImportRun.objects.values_list("source__slug", "status", "trigger", "worker")) == [
        ("sigma", Status.QUEUED, "schedule", "")
    ]


def test_tick_after_its_time_is_claimed_again():
    assert claim_tick("sigma")
    DataSource.objects.filter(slug="sigma").update(counted_from=timezone.now() - 30 * DAY)
    assert claim_tick("sigma")
    assert not claim_tick("sigma")


@pytest.mark.parametrize("reason", ["disabled", "unknown"])
def test_tick_of_a_source_that_is_not_to_be_synced_does_nothing(reason):
    DataSource.objects.filter(slug="sigma").update(enabled=False)
    sync_on_schedule("sigma" if reason == "disabled" else "splunk")
    assert not ImportRun.objects.exists()


def test_tick_while_a_run_is_under_way_is_let_pass(caplog):
    request_import("sigma")
    sync_on_schedule("sigma")
    assert ImportRun.objects.count() == 1


def test_next_sync_counts_from_the_last_and_comes_sooner_after_a_failure(world: SmallWorld):
    world.rule("a", "T1059")
    run = world.run("sigma")
    assert source_of("sigma").next_sync_at == run.finished_at + 30 * DAY
    assert task_of("sigma").last_run_at == run.finished_at
    world.place("sigma").rename(world.folder / "gone")
    run = world.run("sigma")
    assert run.status == Status.FAILED
    assert source_of("sigma").next_sync_at == run.finished_at + RETRY_AFTER


def test_run_that_ends_does_not_undo_what_was_edited_meanwhile(world: SmallWorld):
    world.rule("a", "T1059")

    def edit(step: str, done: int, total: int | None, rows: int = 0) -> None:
        if step == "parse":
            source = source_of("sigma")
            source.enabled, source.every = False, 7 * DAY
            source.save()

    execute(request_import("sigma"), mirror=str(world.folder), progress=edit)
    assert (source_of("sigma").enabled, source_of("sigma").every, task_of("sigma").enabled) == (False, 7 * DAY, False)


def test_preview_moves_no_schedule(world: SmallWorld):
    world.rule("a", "T1059")
    world.run("sigma", dry_run=True)
    assert source_of("sigma").counted_from is None
