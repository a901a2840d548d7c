"""Runs and beat's tables in the Django admin: decided as on their pages, and started in no other way."""

import pytest
from django.contrib import admin as django_admin
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from imports.models import ImportRun
from imports.services import execute, request_import
from imports.tests.factories import make_source
from imports.tests.small_world import SmallWorld

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("snapshots_folder")]
RUNS = "/admin/imports/importrun/"
BEAT = (PeriodicTask, IntervalSchedule, CrontabSchedule, ClockedSchedule, SolarSchedule)


@pytest.fixture
def admin() -> Client:
    """A browser in which the admin maria is logged in."""
    browser = Client()
    browser.force_login(make_user("admin", username="maria"))
    return browser


def told(admin: Client, action: str, run: ImportRun) -> str:
    answer = admin.post(RUNS, {"action": action, "_selected_action": [run.pk]}, follow=True)
    assert answer.status_code == 200
    return " ".join(str(message) for message in answer.context["messages"])


def test_runs_are_applied_discarded_and_undone_as_on_their_pages(world: SmallWorld, admin) -> None:
    world.rules(2)
    first, shown = world.run("sigma", dry_run=True), world.run("sigma", dry_run=True)
    assert told(admin, "discard", first) == f"Run {first.pk} of {first.source}: run {first.pk} is discarded."
    assert told(admin, "apply", shown).endswith("is queued.")
    applied = execute(ImportRun.objects.latest("pk"), mirror=str(world.folder))
    assert (applied.status, applied.applies, applied.requested_by.username) == ("succeeded", shown, "maria")
    assert told(admin, "undo", applied).endswith("is queued.")
    undo = ImportRun.objects.latest("pk")
    assert (undo.undoes, undo.trigger) == (applied, "button")
    assert AuditLog.objects.filter(action="import.discarded", actor_name="maria").count() == 1


@pytest.mark.parametrize("action", ["apply", "discard", "undo", "cancel"])
def test_what_cannot_be_done_with_a_run_is_said_and_changes_nothing(world: SmallWorld, admin, action) -> None:
    run = world.run("sigma")  # failed: there is nothing
    assert f"Run {run.pk}" in told(admin, action, run)
    assert ImportRun.objects.count() == 1


def test_run_that_waits_is_cancelled(admin) -> None:
    make_source("sigma")
    run = request_import("sigma")
    assert "asked to end" in told(admin, "cancel", run)
    run.refresh_from_db()
    assert run.status == "cancelled"


def test_page_of_a_run_tells_why_it_is_held_and_whether_it_can_be_read_again(world: SmallWorld, admin) -> None:
    world.rules(20)
    world.run("sigma")
    for place in range(9, 20):
        world.remove("sigma", f"rules/r{place:03}.yml")
    held = world.run("sigma")
    page = admin.get(f"{RUNS}{held.pk}/change/").content.decode()
    assert "It would withdraw 11 of 20 rows" in page
    assert 'alt="True"' in page[page.index("Snapshot is kept") :][:300]
    assert "Held" in admin.get(f"{RUNS}?status__exact=held").content.decode()


@pytest.mark.parametrize("model", BEAT, ids=lambda model: model.__name__)
def test_beats_tables_are_looked_at_and_never_written_here(admin, model) -> None:
    make_source("sigma")
    address = reverse(f"admin:django_celery_beat_{model._meta.model_name}_changelist")
    assert admin.get(address).status_code == 200
    assert admin.get(f"{address}add/").status_code == 403
    assert django_admin.site._registry[model].actions is None
    if row := model.objects.first():
        before = list(PeriodicTask.objects.values())
        for page in ("change", "delete"):
            assert admin.post(f"{address}{row.pk}/{page}/", {"name": "mine", "task": "os.system"}).status_code == 403
        admin.post(address, {"action": "run_tasks", "_selected_action": [row.pk]})
        assert list(PeriodicTask.objects.values()) == before
