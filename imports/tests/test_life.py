"""A run ends in exactly one state: a killed one is abandoned; one that is cancelled, or given up too early, stores nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from aegis.audit.models import AuditLog
from aegis.lib.signals import process_lost
from catalog.models import DetectionRule
from imports import engine, life
from imports.life import DEAD_AFTER, cancel_run, free_dead_runs, is_dead, this_process
from imports.models import DataSource, ImportRun
from imports.services import execute, request_import
from imports.tasks import run_import
from imports.tests.small_world import SmallWorld
from imports.upstream import SourceFile
from imports.whereabouts import Whereabouts, left_by

pytestmark = pytest.mark.django_db
Status = ImportRun.Status
NOBODY = "another-host.example.org:17"


@pytest.fixture
def rules(world: SmallWorld, settings) -> SmallWorld:
    """A mirror with three rules, which is where this process imports from."""
    settings.AEGIS_MIRROR = str(world.folder)
    for name in "abc":
        world.rule(name, "T1059")
    return world


@pytest.fixture
def every_beat(monkeypatch) -> None:
    """Each progress is told to the row at once."""
    monkeypatch.setattr(life, "HEARTBEAT_EVERY", timedelta(0))


def test_same_task_ten_times_is_one_run(rules):
    run = request_import("sigma")
    for _ in range(10):
        run_import(run.pk)
    assert list(ImportRun.objects.values_list("status", "created")) == [(Status.SUCCEEDED, 3)]
    assert DetectionRule.objects.count() == 3
    assert AuditLog.objects.filter(action="import.succeeded").count() == 1


def test_task_of_a_run_that_is_gone_does_nothing(rules):
    run_import(4711)
    assert not ImportRun.objects.exists()


def test_task_that_comes_again_after_its_process_was_killed_gives_the_run_up(rules):
    run = request_import("sigma")
    host = this_process().rpartition(":")[0]
    ImportRun.objects.filter(pk=run.pk).update(status=Status.RUNNING, worker=f"{host}:999999999")
    run_import(run.pk)
    run.refresh_from_db()
    assert run.status == Status.ABANDONED
    assert "Nothing of this run was stored: it can be started again." in run.error
    assert DataSource.objects.get(slug="sigma").last_sync_status == Status.ABANDONED
    assert execute(request_import("sigma")).status == Status.SUCCEEDED


@pytest.mark.parametrize(
    ("status", "worker", "silence", "dead"),
    [
        (Status.QUEUED, "", DEAD_AFTER * 1000, False),
        (Status.RUNNING, NOBODY, DEAD_AFTER / 2, False),
        (Status.RUNNING, NOBODY, DEAD_AFTER * 1.1, True),
        (Status.RUNNING, "here", DEAD_AFTER / 2, False),
        (Status.RUNNING, "here", timedelta(minutes=31), True),
        (Status.QUEUED, "here", DEAD_AFTER / 2, False),
    ],
    ids=[
        "waits for a worker",
        "beats elsewhere",
        "silent elsewhere",
        "beats here",
        "silent here",
        "about to begin here",
    ],
)
def test_run_is_dead_when_its_process_is_gone_or_silent(status, worker, silence, dead):
    run = request_import("sigma", worker=this_process() if worker == "here" else worker)
    run.status, run.heartbeat_at = status, timezone.now() - silence
    assert is_dead(run) is dead


def test_run_that_waits_is_cancelled_at_once(rules):
    run = request_import("sigma")
    assert cancel_run(run)
    assert ImportRun.objects.get().status == Status.CANCELLED
    run_import(run.pk)
    assert not DetectionRule.objects.exists()
    assert not cancel_run(run)
    assert execute(request_import("sigma")).status == Status.SUCCEEDED


@pytest.mark.parametrize("step", ["parse", "store"])
def test_cancelled_run_stores_nothing_whatever_step_it_was_at(rules, every_beat, step):
    seen: list[str] = []

    def press(now: str, done: int, total: int | None, rows: int = 0) -> None:
        if now == step and not seen:
            seen.append(now)
            cancel_run(run)

    run = request_import("sigma")
    ended = execute(run, progress=press)
    assert seen == [step]
    ended.refresh_from_db()
    assert (ended.status, ended.created, ended.kinds, ended.changes.count()) == (Status.CANCELLED, 0, {}, 0)
    assert not DetectionRule.objects.exists()
    source = DataSource.objects.get(slug="sigma")
    assert (source.current_version, source.last_sync_status) == ("", Status.CANCELLED)
    assert AuditLog.objects.filter(action="import.cancelled").count() == 1


@pytest.mark.parametrize("step", ["parse", "store"])
def test_run_that_was_given_up_for_dead_stores_nothing_when_it_turns_out_to_live(rules, every_beat, step):
    def give_up(now: str, done: int, total: int | None, rows: int = 0) -> None:
        if now == step:
            ImportRun.objects.filter(pk=run.pk, status=Status.RUNNING).update(status=Status.ABANDONED, error="given up")

    run = request_import("sigma")
    ended = execute(run, progress=give_up)
    if step != "store":  # there it undoes the giving up too, which is of the same transaction here
        assert (ended.status, ended.error) == (Status.ABANDONED, "given up")
    assert not DetectionRule.objects.exists()
    assert not ImportRun.objects.filter(status=Status.SUCCEEDED).exists()


def test_progress_and_what_was_read_so_far_stand_in_the_row(rules, every_beat):
    seen = []

    def look(step: str, done: int, total: int | None, rows: int = 0) -> None:
        row = ImportRun.objects.get()
        seen.append((row.step, row.done, row.total, row.rows_read))

    execute(request_import("sigma"), progress=look)
    assert ("parse", 1, 3, 1) in seen
    assert ("parse", 2, 3, 2) in seen
    assert ImportRun.objects.get().rows_read == 3


def test_runs_are_given_up_one_by_one_and_once(rules):
    for slug in ("sigma", "lolbas"):
        request_import(slug, worker=NOBODY)
    ImportRun.objects.update(status=Status.RUNNING, heartbeat_at=timezone.now() - DEAD_AFTER * 2)
    assert free_dead_runs(ImportRun.objects.filter(source__slug="sigma")) == 1
    assert free_dead_runs() == 1
    assert free_dead_runs() == 0
    assert AuditLog.objects.filter(action="import.abandoned").count() == 2


def test_run_whose_process_died_within_a_file_names_it_and_how_it_ended(rules):
    run = request_import("sigma")
    host = this_process().rpartition(":")[0]
    ImportRun.objects.filter(pk=run.pk).update(status=Status.RUNNING, worker=f"{host}:999999999", step="parse")
    run.refresh_from_db()
    reading = Whereabouts(run).follow([SourceFile(path="rules/a.yml", data=b""), SourceFile(path="b.yml", data=b"")])
    assert [next(reading).path, next(reading).path] == ["rules/a.yml", "b.yml"]
    process_lost.send(None, task="imports.tasks.run_import", args=[run.pk], how="signal 11 (SIGSEGV)")
    run.refresh_from_db()
    assert run.error == (
        f"abandoned: the process {host}:999999999 ended with signal 11 (SIGSEGV) while reading b.yml. "
        "Nothing of this run was stored: it can be started again."
    )
    assert left_by(run) == ""


def test_run_of_another_machine_that_is_silent_says_how_long_and_at_what(rules):
    run = request_import("sigma")
    long_ago = timezone.now() - timedelta(minutes=5)
    ImportRun.objects.filter(pk=run.pk).update(
        status=Status.RUNNING, worker=NOBODY, step="store", heartbeat_at=long_ago
    )
    assert free_dead_runs() == 1
    run.refresh_from_db()
    assert run.error.startswith(f"abandoned: the process {NOBODY} was not heard of for 60 seconds while storing.")


def test_run_that_runs_out_of_memory_names_the_file_and_the_worker_lives(rules, monkeypatch):
    def greedy(source, file):
        raise MemoryError

    monkeypatch.setattr(engine, "parse_file", greedy)
    run = execute(request_import("sigma"))
    assert run.status == Status.FAILED
    assert run.error.startswith("memory ran out while reading rules/")
    assert run.error.endswith(": give the worker more, and start it again")
    assert not left_by(run)
