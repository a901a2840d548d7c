"""Syncing from the pages: who may, what happens, how far it is, and what is said when nobody is there to do it."""

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from imports.models import DataSource, ImportRun
from imports.queueing import WATCH, hear_worker
from imports.tests.factories import make_run, make_source

pytestmark = pytest.mark.django_db
Status = ImportRun.Status
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def admin() -> Client:
    """A browser in which the admin maria is logged in."""
    browser = Client()
    browser.force_login(make_user(Role.ADMIN, username="maria"))
    return browser


@pytest.fixture
def viewer() -> Client:
    browser = Client()
    browser.force_login(make_user())
    return browser


def test_button_queues_a_run_and_shows_it(admin):
    make_source("sigma")
    answer = admin.post("/sources/sigma/sync")
    run = ImportRun.objects.get()
    assert (run.status, run.trigger, run.requested_by.username, run.dry_run) == (
        Status.QUEUED,
        "button",
        "maria",
        False,
    )
    assert answer["Location"] == f"/runs/{run.pk}"


def test_preview_button_queues_a_preview(admin):
    make_source("sigma", enabled=False)
    admin.post("/sources/sigma/sync", {"dry_run": "1"})
    assert ImportRun.objects.get().dry_run


def test_button_of_the_list_stays_there(admin):
    make_source("sigma")
    assert 'aria-label="Sync The source sigma now"' in admin.get("/sources").content.decode()
    assert admin.post("/sources/sigma/sync", {"stay": "1"})["Location"] == "/sources"


@pytest.mark.parametrize("why", ["busy", "disabled"])
def test_what_cannot_be_started_is_said_on_the_page_of_the_source(admin, why):
    source = make_source("sigma", enabled=why != "disabled")
    if why == "busy":
        make_run(source, status=Status.QUEUED, finished_at=None)
    page = admin.post("/sources/sigma/sync", follow=True).content.decode()
    assert "Not started: sigma is " in page
    assert ImportRun.objects.count() == (why == "busy")


def test_schedule_is_saved_and_a_made_up_one_is_not(admin):
    make_source("sigma")
    admin.post("/sources/sigma/schedule", {"enabled": "on", "schedule_hours": "168"})
    source = DataSource.objects.get(slug="sigma")
    assert (source.enabled, source.every.days) == (True, 7)
    page = admin.post("/sources/sigma/schedule", {"schedule_hours": "17"}, follow=True).content.decode()
    assert "Not saved" in page
    admin.post("/sources/sigma/schedule", {"schedule_hours": ""})
    source.refresh_from_db()
    assert (source.enabled, source.every) == (False, None)


def test_run_page_shows_progress_and_offers_to_cancel_it(admin, viewer):
    run = make_run(
        status=Status.RUNNING,
        worker="elsewhere:1",
        heartbeat_at=timezone.now(),
        finished_at=None,
        step="parse",
        done=12,
        total=40,
        rows_read=31,
    )
    page = admin.get(f"/runs/{run.pk}").content.decode()
    assert "Reading files" in page
    assert "12 of 40 files, 31 rows read" in page
    assert "Cancel this run" in page
    assert "Cancel this run" not in viewer.get(f"/runs/{run.pk}").content.decode()
    admin.post(f"/runs/{run.pk}/cancel")
    run.refresh_from_db()
    assert (run.status, run.cancel_requested) == (Status.RUNNING, True)
    assert "Ending" in admin.get(f"/runs/{run.pk}").content.decode()


def test_progress_asks_to_be_fetched_again_until_the_run_has_ended(viewer):
    run = make_run(status=Status.RUNNING, worker="elsewhere:1", heartbeat_at=timezone.now(), finished_at=None)
    part = viewer.get(f"/runs/{run.pk}/progress", **HTMX)
    assert f'hx-get="/runs/{run.pk}/progress" hx-trigger="every 2s"' in part.content.decode()
    assert "HX-Refresh" not in part
    ImportRun.objects.update(status=Status.SUCCEEDED)
    part = viewer.get(f"/runs/{run.pk}/progress", **HTMX)
    assert "hx-trigger" not in part.content.decode()
    assert part["HX-Refresh"] == "true"


def test_address_of_the_progress_opened_by_itself_leads_to_the_run(viewer):
    run = make_run()
    assert viewer.get(f"/runs/{run.pk}/progress")["Location"] == f"/runs/{run.pk}"


def test_pages_say_that_no_worker_is_running_and_how_many_runs_wait(viewer):
    for slug in ("sigma", "lolbas"):
        make_run(make_source(slug), status=Status.QUEUED, finished_at=None)
    for path in ("/sources", "/sources/sigma", f"/runs/{ImportRun.objects.first().pk}"):
        page = viewer.get(path).content.decode()
        assert "No worker is running: 2 runs wait." in page
    ImportRun.objects.first().delete()
    assert "No worker is running: 1 run waits." in viewer.get("/sources").content.decode()


def test_pages_say_that_the_schedule_is_not_kept(viewer):
    hear_worker("celery@one")
    page = viewer.get("/sources").content.decode()
    assert "No worker is running" not in page
    assert "beat is not running" in page
    task = PeriodicTask.objects.get(name="Sync sigma")
    PeriodicTask.objects.create(name="Watch", task=WATCH, interval=task.interval, last_run_at=timezone.now())
    assert "beat is not running" not in viewer.get("/sources").content.decode()


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_but_admins_may_send_anything(role):
    make_source("sigma")
    run = make_run(make_source("lolbas"), status=Status.QUEUED)
    browser = Client()
    browser.force_login(make_user(role))
    paths = ("/sources/sigma/sync", "/sources/sigma/schedule", f"/runs/{run.pk}/cancel")
    assert [browser.post(path).status_code for path in paths] == [403] * 3
    assert "Sync now" not in browser.get("/sources/sigma").content.decode()


@pytest.mark.parametrize("path", ["/sources/sigma/sync", "/sources/sigma/schedule", "/runs/1/cancel"])
def test_what_changes_something_is_never_a_link(admin, path):
    assert admin.get(path).status_code == 405


@pytest.mark.parametrize(
    ("action", "runs"), [("sync_now", [False]), ("preview", [True]), ("enable", []), ("disable", [])]
)
def test_actions_of_the_admin_do_the_same(admin, action, runs):
    source = make_source("sigma", enabled=action != "enable")
    data = {"action": action, "_selected_action": [source.pk]}
    assert admin.post("/admin/imports/datasource/", data).status_code == 302
    assert list(ImportRun.objects.values_list("dry_run", flat=True)) == runs
    source.refresh_from_db()
    assert source.enabled is (action != "disable")
    assert PeriodicTask.objects.get(name="Sync sigma").enabled is source.enabled


def test_admin_form_takes_the_schedule_in_hours(admin):
    source = make_source("sigma")
    address = f"/admin/imports/datasource/{source.pk}/change/"
    assert 'name="schedule_hours" value="720"' in admin.get(address).content.decode()
    admin.post(address, {"enabled": "on", "schedule_hours": "36"})
    task = PeriodicTask.objects.get(name="Sync sigma")
    assert (task.interval.every, task.interval.period) == (36, "hours")


def standing(slug, **fields):
    return make_source(slug, label=slug.capitalize(), **fields)


def test_sync_all_queues_what_is_free_and_says_what_was_left_out_and_why(admin):
    DataSource.objects.all().delete()
    standing("sigma", position=1)
    standing("elastic", position=2)
    make_run(standing("atomic", position=3), status=Status.RUNNING, finished_at=None)
    standing("lolbas", position=4, enabled=False)
    standing("gone", position=5)
    page = admin.post("/sources/sync", follow=True).content.decode()
    told = "Atomic (a run is under way), Lolbas (disabled), Gone (this version of Aegis does not read it)"
    assert f"Queued 2 of 5: Sigma, Elastic. Left out: {told}." in page
    queued = ImportRun.objects.filter(status=Status.QUEUED)
    assert [
        (run.source.slug, run.trigger, run.requested_by.username, run.dry_run) for run in queued.order_by("pk")
    ] == [
        ("sigma", "button", "maria", False),
        ("elastic", "button", "maria", False),
    ]
    row = AuditLog.objects.get(action="source.sync_all_requested")
    assert (row.actor_name, row.object_type, row.object_label) == ("maria", "imports.datasource", "all sources")
    assert row.after == {
        "queued": ["sigma", "elastic"],
        "left_out": {
            "atomic": "a run is under way",
            "gone": "this version of Aegis does not read it",
            "lolbas": "disabled",
        },
    }


def test_sync_all_says_when_nothing_was_queued(admin):
    DataSource.objects.all().update(enabled=False)
    page = admin.post("/sources/sync", follow=True).content.decode()
    assert "Nothing was queued. Left out: " in page
    assert not ImportRun.objects.exists()


def test_sync_all_twice_asks_for_each_source_once(admin):
    DataSource.objects.exclude(slug="sigma").delete()
    admin.post("/sources/sync")
    page = admin.post("/sources/sync", follow=True).content.decode()
    assert "Nothing was queued. Left out: " in page
    assert "(a run is under way)" in page
    assert ImportRun.objects.count() == 1


def test_sync_all_is_a_button_of_admins_that_needs_no_script(admin, viewer):
    form = '<form method="post" action="/sources/sync">'
    assert form in admin.get("/sources").content.decode()
    assert form not in viewer.get("/sources").content.decode()
    assert viewer.post("/sources/sync").status_code == 403
    assert admin.get("/sources/sync").status_code == 405
    assert not ImportRun.objects.exists()
