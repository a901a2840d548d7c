"""The Django admin: everything can be found and read there, hardly anything changed, and nobody but admins gets in."""

import re
from io import BytesIO

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import PASSWORD, make_user
from catalog.tests.factories import make_rule
from coverage.models import Layer, LayerTechnique, SavedView
from coverage.services.evidence import attach_evidence
from coverage.services.gaps import assign_gap
from coverage.services.snapshots import take_snapshot
from coverage.services.techniques import create_technique
from coverage.tests.factories import make_campaign, make_test
from imports.models import DataSource
from imports.queueing import hear_worker
from imports.tests.factories import make_change, make_issue, make_run, make_source
from imports.tests.sample_world import SAMPLES
from intel.models import Feed, IntelFlag, IntelItem

PRIVATE = {Layer, LayerTechnique, SavedView}
MODELS = [
    model
    for app in ("catalog", "intel", "compliance", "imports", "coverage")
    for model in apps.get_app_config(app).get_models()
    if model not in PRIVATE
]
READ_ONLY = [model for model in MODELS if model not in (DataSource, Feed)]
MOST_QUERIES = 12
"""Session, user, two counts, the rows, and one per filter: never one per row."""


@pytest.fixture
def admins(db: None) -> Client:
    """A browser in which an admin is logged in."""
    browser = Client()
    browser.force_login(make_user(Role.ADMIN))
    return browser


def address(model: type, page: str = "changelist", *arguments: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


def test_every_model_is_there_with_columns_search_filters_and_an_order():
    registered = {model: admin.site._registry.get(model) for model in MODELS}
    assert [model.__name__ for model, found in registered.items() if found is None] == []
    few_rows = {"AttackRelease", "Tactic", "ComplianceFramework", "Worker"}
    for model, found in registered.items():
        assert found.search_fields, model
        assert found.ordering, model
        assert found.list_filter or model.__name__ in few_rows, model
        assert found.get_list_display(None) != ("__str__",), model


def test_lists_and_pages_of_every_model_open_in_few_queries(admins):
    call_command("import_source", all=True, mirror=str(SAMPLES), json=True)
    make_issue(make_run(make_source("sigma")))
    hear_worker("celery@here")
    call_command("scan_intel", mirror=str(SAMPLES), json=True)
    IntelFlag.objects.get_or_create(item=IntelItem.objects.first(), technique="T9999", defaults={"at": timezone.now()})
    attach_evidence(by=make_user(Role.ADMIN), test=make_test(), side="red", file=BytesIO(b"seen"), name="log.txt")
    make_test(outcome="alerted", campaign=make_campaign())
    local = create_technique(by=make_user(Role.ADMIN), mitre_id="T9001", name="Local", tactics=["execution"])
    assign_gap(by=make_user(Role.ADMIN), technique=local, changes={"owner": make_user(Role.BLUE_TECH)})
    take_snapshot()
    empty, costly, long = [], {}, {}
    for model in MODELS:
        row = model._default_manager.first()
        if row is None:
            empty.append(model.__name__)
            continue
        for path in [address(model), f"{address(model)}?q=a", address(model, "change", row.pk)]:
            with CaptureQueriesContext(connection) as queries:
                page = admins.get(path)
            assert page.status_code == 200, path
            if len(queries) > MOST_QUERIES:
                costly[path] = len(queries)
            if (options := page.content.count(b"<option")) > 60:
                long[path] = options
    assert (empty, costly, long) == ([], {}, {})


@pytest.mark.parametrize("model", READ_ONLY, ids=lambda model: model.__name__)
def test_nobody_adds_rows_here(admins, model):
    assert admins.get(address(model, "add")).status_code == 403


@pytest.mark.parametrize("page", ["change", "delete"])
def test_rows_cannot_be_changed_or_deleted_here(admins, page):
    rule = make_rule(name="As published")
    run = make_run()
    test = make_test("T1105", outcome="alerted")
    ours = [test, test.outcomes.get(), test.involvements.first(), make_campaign(), test.technique.coverage]
    for row in [rule, test.technique, run, make_change(run), make_issue(run), *ours]:
        answer = admins.post(address(type(row), page, row.pk), {"name": "Mine", "post": "yes"})
        assert answer.status_code == 403, row
    rule.refresh_from_db()
    assert rule.name == "As published"


def test_page_of_an_imported_row_says_where_it_comes_from(admins):
    rule = make_rule(source_url="https://example.org/rules/a.yml", path="rules/a.yml")
    page = admins.get(address(type(rule), "change", rule.pk)).content.decode()
    assert '<a href="https://example.org/rules/a.yml" rel="noopener noreferrer nofollow">rules/a.yml</a>' in page
    assert "Provenance" in page
    odd = make_rule(source_url="javascript:alert(1)", path="rules/b.yml")
    assert 'href="javascript' not in admins.get(address(type(odd), "change", odd.pk)).content.decode()


def test_whether_a_source_is_imported_is_all_that_can_be_changed_of_it(admins):
    source = make_source("sigma", enabled=True, current_version="0123abc")
    answer = admins.post(address(DataSource, "change", source.pk), {"label": "Mine", "slug": "mine", "license": "none"})
    assert answer.status_code == 302
    source.refresh_from_db()
    assert (source.enabled, source.label, source.slug) == (False, "The source sigma", "sigma")
    assert admins.get(address(DataSource, "add")).status_code == 403
    assert admins.get(address(DataSource, "delete", source.pk)).status_code == 403


def test_rows_that_upstream_dropped_can_be_told_apart(admins):
    make_rule(name="Here")
    make_rule(name="Gone", withdrawn_at=make_run().created_at)
    names = {
        choice: re.findall("Here|Gone", admins.get(f"{address(type(make_rule()))}?upstream={choice}").content.decode())
        for choice in ("published", "withdrawn")
    }
    assert (set(names["published"]), set(names["withdrawn"])) == ({"Here"}, {"Gone"})


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_only_admins_get_in(db, role):
    browser = Client()
    assert browser.get("/admin/").status_code == 302
    browser.force_login(make_user(role))
    for path in ["/admin/", address(DataSource), "/admin/jsi18n/"]:
        assert browser.get(path).status_code == 403, path


@pytest.fixture
def site(transactional_db, browser_page):
    """A browser in which an admin has logged in, on a site with a source, rules and a run."""
    make_user(Role.ADMIN, username="anna")
    make_source("sigma")
    for number in range(60):
        make_rule(
            name=("Alpha " if number < 10 else "Beta ") + "with_a_long_name_" * 6,
            severity="high" if number % 2 else "low",
        )
    make_run(error="https://example.org/" + "x" * 300)
    browser_page.goto("/accounts/login?next=/admin/")
    browser_page.get_by_label("Username").fill("anna")
    browser_page.get_by_label("Password").fill(PASSWORD)
    browser_page.get_by_role("button", name="Log in").click()
    browser_page.wait_for_url("**/admin/")
    return browser_page


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_admin_works_under_our_content_policy_and_in_our_colours(site, width, theme):
    site.set_viewport_size({"width": width, "height": 844})
    site.evaluate("theme => localStorage.setItem('aegis-theme', theme)", theme)
    rule = make_rule(name="The one", description="line\n" * 200, source_url="https://example.org/" + "y" * 300)
    source, run = make_source("sigma"), make_run()
    pages = [
        "/admin/",
        address(type(rule)),
        address(type(rule), "change", rule.pk),
        address(type(run), "change", run.pk),
    ]
    for path in [*pages, address(DataSource, "change", source.pk)]:
        site.goto(path)
        assert site.evaluate("document.documentElement.scrollWidth") <= width, path
    ground = {"light": "rgb(246, 247, 249)", "dark": "rgb(13, 16, 21)"}[theme]
    assert site.evaluate("getComputedStyle(document.body).backgroundColor") == ground


def test_lists_are_searched_and_filtered_and_a_source_switched_off(site):
    site.goto("/admin/catalog/detectionrule/?q=alpha")
    expect(site.locator("#result_list tbody tr")).to_have_count(10)
    site.locator("#changelist-filter").get_by_role("link", name="High", exact=True).click()
    site.wait_for_url("**severity__exact=high**")
    expect(site.locator("#result_list tbody tr")).to_have_count(5)
    site.goto(address(DataSource, "change", DataSource.objects.get(slug="sigma").pk))
    site.get_by_label("Enabled").uncheck()
    site.get_by_role("button", name="Save", exact=True).click()
    site.get_by_text("was changed successfully").wait_for()
    assert not DataSource.objects.get(slug="sigma").enabled
