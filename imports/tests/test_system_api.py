"""Starting, previewing and cancelling imports in the API, schedules, and whether anybody keeps them."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from rest_framework.test import APIClient

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import bearer, make_user
from aegis.api import SYSTEM_COMMANDS
from imports import queueing
from imports.models import DataSource, ImportRun
from imports.queueing import WATCH, hear_worker
from imports.services import describe_sources
from imports.tasks import run_import
from imports.tests.factories import make_run
from imports.tests.small_world import SmallWorld

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"
Status = ImportRun.Status


@pytest.fixture(autouse=True)
def sources() -> None:
    describe_sources()


@pytest.fixture
def admin() -> APIClient:
    return bearer(make_user(Role.ADMIN, username="root"))


@pytest.fixture
def rung(monkeypatch, django_capture_on_commit_callbacks) -> list[int]:
    """The runs that workers were told of."""
    told: list[int] = []
    monkeypatch.setattr(queueing, "ring", lambda run: told.append(run.pk))
    return told


def test_sync_queues_a_run_and_rings_for_it_once_it_is_committed(admin, rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        answer = admin.post(V1 + "data-sources/sigma/sync")
        assert rung == []
    run = ImportRun.objects.get()
    assert rung == [run.pk]
    assert answer.status_code == 202
    body = answer.json()
    assert (body["id"], body["source"], body["status"], body["trigger"], body["requested_by"], body["dry_run"]) == (
        run.pk,
        "sigma",
        "queued",
        "api",
        "root",
        False,
    )


@pytest.mark.parametrize(("command", "slug"), SYSTEM_COMMANDS.items())
def test_each_address_of_the_owner_imports_its_source(admin, command, slug):
    answer = admin.post(f"{V1}system/{command}")
    assert (answer.status_code, answer.json()["source"], answer.json()["status"]) == (202, slug, "queued")


def test_sync_and_button_and_schedule_make_the_same_rows(admin, world: SmallWorld, settings):
    settings.AEGIS_MIRROR = str(world.folder)
    world.rule("a", "T1059")
    run_import(admin.post(V1 + "system/import-sigma").json()["id"])
    told = admin.get(V1 + "import-runs").json()["results"][0]
    assert (told["status"], told["statistics"]["created"]) == ("succeeded", 1)
    by_command = world.run("sigma", force=True)
    assert (by_command.unchanged, by_command.created) == (1, 0)


def test_preview_of_a_source_writes_nothing(admin, world: SmallWorld, settings):
    settings.AEGIS_MIRROR = str(world.folder)
    world.rule("a", "T1059")
    run_import(admin.post(V1 + "data-sources/sigma/sync?dry_run=true").json()["id"])
    run = ImportRun.objects.get()
    assert (run.status, run.dry_run, run.created) == (Status.SUCCEEDED, True, 1)
    assert DataSource.objects.get(slug="sigma").current_version == ""


def test_waiting_answers_with_the_run_that_ended(admin, monkeypatch):
    def ring(run: ImportRun) -> None:
        ImportRun.objects.filter(pk=run.pk).update(status=Status.SUCCEEDED, created=7, finished_at=timezone.now())

    monkeypatch.setattr(queueing, "transaction", OnCommitAtOnce)
    monkeypatch.setattr(queueing, "ring", ring)
    answer = admin.post(V1 + "system/sync-mitre?wait=true")
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.json()["statistics"]["created"] == 7


def test_waiting_without_a_worker_answers_soon_that_the_run_waits(admin, monkeypatch):
    monkeypatch.setattr(queueing, "LOOK_FOR_WORKER_EVERY", 0.2)
    answer = admin.post(V1 + "system/sync-mitre?wait=true")
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")


class OnCommitAtOnce:
    """Where a test's own transaction never ends."""

    @staticmethod
    def on_commit(told) -> None:
        told()


@pytest.mark.parametrize("query", ["?dry_run=yes", "?wait=1", "?later=true", "?wait=true&wait=false"])
def test_parameters_that_mean_nothing_are_refused(admin, query):
    assert admin.post(V1 + "data-sources/sigma/sync" + query).status_code == 400
    assert not ImportRun.objects.exists()


def test_second_sync_is_a_conflict(admin):
    admin.post(V1 + "data-sources/sigma/sync")
    answer = admin.post(V1 + "data-sources/sigma/sync")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("sigma is being imported already")


def test_disabled_source_is_previewed_and_not_synced(admin):
    assert admin.patch(V1 + "data-sources/sigma", {"enabled": False}, format="json").json()["enabled"] is False
    answer = admin.post(V1 + "data-sources/sigma/sync")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        "sigma is disabled: enable it first, or ask for a preview, which writes nothing",
    )
    assert admin.post(V1 + "data-sources/sigma/sync?dry_run=true").status_code == 202


@pytest.mark.parametrize("name", ["splunk", "999999"])
def test_source_that_is_not_there_is_not_found(admin, name):
    assert admin.post(f"{V1}data-sources/{name}/sync").status_code == 404
    assert admin.patch(f"{V1}data-sources/{name}", {}, format="json").status_code == 404


def test_schedule_is_changed_by_slug_and_by_number(admin):
    answer = admin.patch(V1 + "data-sources/sigma", {"schedule_hours": 168}, format="json")
    assert (answer.status_code, answer.json()["schedule_hours"]) == (200, 168.0)
    task = PeriodicTask.objects.get(name="Sync sigma")
    assert (task.interval.every, task.interval.period, task.enabled) == (7, "days", True)
    source = DataSource.objects.get(slug="sigma")
    answer = admin.patch(f"{V1}data-sources/{source.pk}", {"schedule_hours": None}, format="json")
    assert (answer.json()["schedule_hours"], answer.json()["next_sync_at"]) == (None, None)
    task.refresh_from_db()
    assert not task.enabled


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"schedule_hours": 0}, "schedule_hours"),
        ({"schedule_hours": 87601}, "schedule_hours"),
        ({"schedule_hours": "soon"}, "schedule_hours"),
        ({"enabled": "perhaps"}, "enabled"),
        ({"slug": "mine"}, "slug"),
        ({"license": "mine"}, "license"),
    ],
)
def test_change_that_cannot_be_is_refused_by_field(admin, body, field):
    answer = admin.patch(V1 + "data-sources/sigma", body, format="json")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_admins_sync_change_and_look_at_the_schedule(role):
    client, run = bearer(make_user(role)), make_run(status=Status.QUEUED)
    answers = [
        client.post(V1 + "data-sources/sigma/sync"),
        client.post(V1 + "system/import-sigma"),
        client.patch(V1 + "data-sources/sigma", {"enabled": False}, format="json"),
        client.post(f"{V1}import-runs/{run.pk}/cancel"),
        client.get(V1 + "system/scheduler-status"),
    ]
    assert [answer.status_code for answer in answers] == [403] * 5
    assert DataSource.objects.get(slug="sigma").enabled


def test_run_is_cancelled_once(admin):
    run = admin.post(V1 + "data-sources/sigma/sync").json()["id"]
    answer = admin.post(f"{V1}import-runs/{run}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert admin.post(f"{V1}import-runs/{run}/cancel").status_code == 409
    assert admin.post(f"{V1}import-runs/999999/cancel").status_code == 404


def test_status_tells_that_nobody_is_there_and_how_many_runs_wait(admin):
    admin.post(V1 + "data-sources/sigma/sync")
    told = admin.get(V1 + "system/scheduler-status").json()
    assert told["beat"] == told["worker"] == {"alive": False, "last_heard_at": None}
    assert told["waiting_runs"] == 1
    jobs = {job["name"]: job for job in told["jobs"]}
    assert len(jobs) == 9
    assert jobs["Sync sigma"]["schedule"] == "every 30 days"
    assert jobs["Sync sigma"]["last_run_at"] is None


def test_status_tells_of_a_beat_and_a_worker_that_were_heard_of(admin):
    now = timezone.now()
    schedule = PeriodicTask.objects.get(name="Sync sigma").interval
    PeriodicTask.objects.create(name="Watch imports", task=WATCH, interval=schedule, last_run_at=now)
    hear_worker("celery@one")
    told = admin.get(V1 + "system/scheduler-status").json()
    assert (told["beat"]["alive"], told["worker"]["alive"]) == (True, True)
    DataSource.objects.filter(slug="sigma").first().save()
    source = DataSource.objects.get(slug="sigma")
    source.counted_from = now
    source.save()
    job = next(job for job in admin.get(V1 + "system/scheduler-status").json()["jobs"] if job["name"] == "Sync sigma")
    planned = timezone.datetime.fromisoformat(job["next_run_at"])
    assert abs(planned - now - timedelta(days=30)) < timedelta(seconds=5)


def test_worker_that_is_busy_with_an_import_is_there_too(admin):
    make_run(status=Status.RUNNING, trigger="schedule", worker="elsewhere:1", heartbeat_at=timezone.now())
    assert admin.get(V1 + "system/scheduler-status").json()["worker"]["alive"]
