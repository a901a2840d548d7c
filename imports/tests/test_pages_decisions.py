"""Pages of previews, held runs and undo: who sees which button, and what happens behind it."""

import pytest
from django.test import Client

from aegis.accounts.tests.factories import make_user
from catalog.models import DetectionRule
from imports.models import ImportRun
from imports.services import execute
from imports.tests.factories import make_change, make_run, make_source
from imports.tests.small_world import SmallWorld, rule_id

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    browser = Client()
    browser.force_login(make_user("admin", username="anna"))
    return browser


@pytest.fixture
def viewer() -> Client:
    browser = Client()
    browser.force_login(make_user())
    return browser


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def preview(world: SmallWorld) -> ImportRun:
    world.rules(3, "T1059")
    world.run("sigma")
    world.rule("r000", "T1059", level="low")
    return world.run("sigma", dry_run=True)


def test_preview_offers_apply_and_discard_to_admins_only(world: SmallWorld, admin: Client, viewer: Client) -> None:
    run = preview(world)
    page = text_of(admin, f"/runs/{run.pk}")
    assert "Preview: nothing was written" in page
    assert f'action="/runs/{run.pk}/apply"' in page
    assert f'action="/runs/{run.pk}/discard"' in page
    assert "No test of ours stands on a row that changes" in page
    page = text_of(viewer, f"/runs/{run.pk}")
    assert "An admin decides." in page
    assert f"/runs/{run.pk}/apply" not in page
    for way in ("apply", "discard", "undo"):
        assert viewer.post(f"/runs/{run.pk}/{way}").status_code == 403
    assert not run.applied_by.exists()


def test_apply_button_queues_a_run_that_does_what_was_shown(world: SmallWorld, admin: Client) -> None:
    shown = preview(world)
    answer = admin.post(f"/runs/{shown.pk}/apply")
    run = shown.applied_by.get()
    assert (answer.status_code, answer.url, run.status, run.trigger) == (302, f"/runs/{run.pk}", "queued", "button")
    execute(run)
    assert DetectionRule.objects.get(external_id=rule_id("r000")).severity == "low"
    page = text_of(admin, f"/runs/{shown.pk}")
    assert "Applied by anna" in page
    assert f'<dt>Applied by</dt><dd><a href="/runs/{run.pk}">' in page
    assert f'what <a href="/runs/{shown.pk}">' in text_of(admin, f"/runs/{run.pk}")


def test_button_pressed_too_late_says_why(world: SmallWorld, admin: Client) -> None:
    shown = preview(world)
    world.run("sigma")
    answer = admin.post(f"/runs/{shown.pk}/apply", follow=True)
    assert f"Run {shown.pk} was superseded already: preview again." in answer.content.decode()
    answer = admin.post(f"/runs/{shown.pk}/discard", follow=True)
    assert f"Run {shown.pk} waits for no decision" in answer.content.decode()


def test_preview_of_another_importer_cannot_be_applied_and_says_so(world: SmallWorld, admin: Client) -> None:
    shown = preview(world)
    ImportRun.objects.filter(pk=shown.pk).update(importer="another")
    page = text_of(admin, f"/runs/{shown.pk}")
    assert "The importer&#x27;s code has changed" in page
    assert f"/runs/{shown.pk}/apply" not in page
    assert f"/runs/{shown.pk}/discard" in page


def test_discard_button_settles_it(world: SmallWorld, admin: Client) -> None:
    shown = preview(world)
    page = " ".join(admin.post(f"/runs/{shown.pk}/discard", follow=True).content.decode().split())
    assert f"Run {shown.pk} is discarded: the catalogue stays as it is." in page
    assert "Discarded by anna" in page
    assert f"/runs/{shown.pk}/apply" not in page


def held(world: SmallWorld) -> ImportRun:
    world.rules(20)
    world.run("sigma")
    for place in range(1, 20):
        world.remove("sigma", f"rules/r{place:03}.yml")
    return world.run("sigma")


def test_held_run_is_told_with_its_reason_on_every_page_of_sources(world: SmallWorld, admin: Client) -> None:
    run = held(world)
    for path in ("/sources", "/sources/sigma", f"/runs/{run.pk}", "/"):
        page = text_of(admin, path)
        assert "It would withdraw 19 of 20 rows (95 %)" in page, path
        assert "Held" in page, path
        assert f'href="/runs/{run.pk}"' in page or path.startswith("/runs"), path


def test_discarded_hold_no_longer_asks(world: SmallWorld, admin: Client) -> None:
    run = held(world)
    admin.post(f"/runs/{run.pk}/discard")
    for path in ("/sources", "/sources/sigma", "/"):
        assert "It would withdraw" not in text_of(admin, path)


def test_undo_asks_first_and_says_what_it_does(world: SmallWorld, admin: Client, viewer: Client) -> None:
    world.rules(2)
    first = world.run("sigma")
    world.rule("r000", level="low")
    world.rule("new")
    world.remove("sigma", "rules/r001.yml")
    second = world.run("sigma")
    assert f'href="/runs/{second.pk}/undo"' in text_of(admin, f"/runs/{second.pk}")
    assert "/undo" not in text_of(admin, f"/runs/{first.pk}")
    assert "/undo" not in text_of(viewer, f"/runs/{second.pk}")
    page = text_of(admin, f"/runs/{second.pk}/undo")
    for told in (first.version, second.version, "the 1 row that it created", "the 1 row that it updated"):
        assert told in page
    assert DetectionRule.objects.current().count() == 2
    answer = admin.post(f"/runs/{second.pk}/undo")
    run = second.undone_by.get()
    assert answer.url == f"/runs/{run.pk}"
    execute(run)
    assert DetectionRule.objects.get(external_id=rule_id("r000")).severity == "high"
    assert f'<dt>Undone by</dt><dd><a href="/runs/{run.pk}">' in text_of(admin, f"/runs/{second.pk}")


def test_undo_of_a_run_that_is_not_the_last_leads_back(world: SmallWorld, admin: Client) -> None:
    world.rule("a")
    first = world.run("sigma")
    world.rule("a", level="low")
    world.run("sigma")
    page = admin.get(f"/runs/{first.pk}/undo", follow=True).content.decode()
    assert f"Run {first.pk} cannot be undone: only the last applied run of a source can." in page


def test_undo_without_the_earlier_snapshot_is_not_offered(world: SmallWorld, admin: Client) -> None:
    source = make_source("sigma")
    make_run(source, version="1", digest="a" * 64)
    last = make_run(source, version="2", digest="b" * 64)
    page = text_of(admin, f"/runs/{last.pk}/undo")
    assert "which stood before, is no longer kept: import version 1." in page
    assert "<button" not in page[page.index("</h1>") :].split("</main>")[0]


def test_changes_of_all_runs_answer_when_a_rule_changed(world: SmallWorld, viewer: Client) -> None:
    world.rules(2, "T1059")
    world.run("sigma")
    world.rule("r001", "T1059", level="low")
    changed = world.run("sigma")
    world.rule("r001", "T1059", level="critical")
    world.run("sigma", dry_run=True)
    page = viewer.get("/runs/changes?search=r001")
    assert [(one.row.kind, one.row.run_id) for one in page.context["changes"]] == [
        ("updated", changed.pk),
        ("created", changed.pk - 1),
    ]
    assert f'href="/runs/{changed.pk}"' in page.content.decode()
    key = f"/runs/changes?key={rule_id('r000')}&model=catalog.detectionrule&source=sigma"
    assert viewer.get(key).context["page"].paginator.count == 1
    assert "No change matches these filters" in text_of(viewer, "/runs/changes?search=nowhere")


def test_runs_are_found_by_person_trigger_date_and_by_what_they_changed(viewer: Client) -> None:
    anna = make_user("admin", username="anna")
    run = make_run(make_source("sigma"), requested_by=anna, trigger="schedule")
    make_change(run, name="Mimikatz", path="rules/mimikatz.yml")
    make_run(make_source("elastic"))
    for query, number in [
        ("person=anna", 1),
        ("trigger=schedule", 1),
        ("touches=mimi", 1),
        ("touches=nothing", 0),
        ("since=2000-01-01", 2),
        ("until=2000-01-01", 0),
    ]:
        assert viewer.get(f"/runs?{query}").context["page"].paginator.count == number, query


def test_changes_of_a_run_are_a_file_with_a_line_for_each_field(viewer: Client) -> None:
    run = make_run(make_source("sigma"))
    make_change(run, model="catalog.detectionrule", key="k", changed={"severity": ["low", "=1+1"], "tags": [[], ["a"]]})
    make_change(run, model="catalog.detectionrule", key="w", kind="withdrawn", name="Gone", changed={})
    answer = viewer.get(f"/runs/{run.pk}/changes.csv")
    assert answer["Content-Disposition"] == f'attachment; filename="aegis-run-{run.pk}-sigma.csv"'
    assert b"".join(answer.streaming_content).decode().splitlines() == [
        '"change","kind of row","key","name","file","field","before","after"',
        '"updated","detection rule","k","Rule 1","","severity","low","\'=1+1"',
        '"updated","detection rule","k","Rule 1","","tags","[]","[""a""]"',
        '"withdrawn","detection rule","w","Gone","","","",""',
    ]
    only = viewer.get(f"/runs/{run.pk}/changes.csv?kind=withdrawn")
    assert len(b"".join(only.streaming_content).splitlines()) == 2


def test_list_of_changes_asks_as_much_for_fifty_as_for_one(viewer: Client, django_assert_max_num_queries) -> None:
    run = make_run(make_source("sigma"))
    other = make_run(make_source("elastic"))
    for number in range(25):
        make_change(run, model="catalog.detectionrule", key=f"a{number}")
        make_change(other, model="catalog.detectionrule", key=f"b{number}")
    with django_assert_max_num_queries(12):
        viewer.get("/runs/changes")


def test_page_of_a_rule_names_the_runs_that_changed_it(world: SmallWorld, viewer: Client) -> None:
    world.rule("a", "T1059")
    first = world.run("sigma")
    world.rule("a", "T1059", level="low")
    second = world.run("sigma")
    world.rule("a", "T1059", level="critical")
    shown = world.run("sigma", dry_run=True)
    rule = DetectionRule.objects.get()
    page = text_of(viewer, f"/rules/{rule.pk}")
    assert f'by <a href="/runs/{second.pk}">run {second.pk}</a>' in page
    assert f'<a href="/runs/{first.pk}">run {first.pk}</a>' in page
    assert f"/runs/{shown.pk}" not in page
    query = f"model=catalog.detectionrule&amp;key={rule_id('a')}&amp;source=sigma"
    assert f'href="/runs/changes?{query}"' in page
    assert viewer.get(f"/runs/changes?{query.replace('&amp;', '&')}").context["page"].paginator.count == 2
