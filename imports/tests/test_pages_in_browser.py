"""The pages of runs in Chromium: filters narrow the list in place, differences unfold, nothing scrolls sideways."""

import re
import time

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from aegis.accounts.tests.factories import PASSWORD, make_user
from catalog.tests.factories import make_rule
from imports.life import this_process
from imports.models import ImportRun
from imports.tests.factories import make_change, make_issue, make_run, make_source


@pytest.fixture
def page(transactional_db, browser_page):
    """A browser in which a viewer has logged in, on a site with a run that has changes and an issue."""
    make_user(username="anna")
    run = make_run(make_source("sigma"), kinds={"catalog.detectionrule": {"updated": 2}}, issue_count=1)
    make_issue(run, path="rules/" + "very_long_name_" * 20 + ".yml")
    make_change(run, name="A short change", changed={"severity": ["low", "high"]})
    make_change(run, name="A long change", changed={"content": ["", "line with words\n" * 60]})
    make_rule("T1690", name="rule_without_a_place_to_break_" * 5)
    make_run(make_source("d3fend"), status="failed", error="https://example.org/" + "x" * 300 + " answered 503.")
    browser_page.goto(f"/accounts/login?next=/runs/{run.pk}")
    browser_page.get_by_label("Username").fill("anna")
    browser_page.get_by_label("Password").fill(PASSWORD)
    browser_page.get_by_role("button", name="Log in").click()
    browser_page.wait_for_url(f"**/runs/{run.pk}")
    return browser_page


def test_changes_narrow_in_place_and_unfold(page):
    expect(page.locator(".diff del").first).to_have_text("low")
    hidden = page.get_by_text("line with words").first
    expect(hidden).to_be_hidden()
    page.get_by_text("1 field: content").click()
    expect(hidden).to_be_visible()
    page.get_by_label("Search name, id or file").fill("short")
    page.get_by_text("A long change").wait_for(state="detached")
    expect(page).to_have_url(re.compile("search=short"))
    expect(page.locator("#count")).to_have_text("1")


@pytest.mark.parametrize("width", [390, 1440])
def test_no_page_of_sources_scrolls_sideways(page, width):
    page.set_viewport_size({"width": width, "height": 844})
    for path in ["/sources", "/sources/sigma", "/sources/d3fend", "/sources/unresolved", "/runs", page.url]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_progress_is_followed_until_the_run_ends_and_then_no_more(transactional_db, browser_page):
    make_user("admin", username="maria")
    facts = {"status": "running", "worker": this_process(), "trigger": "button", "finished_at": None}
    run = make_run(make_source("sigma"), heartbeat_at=timezone.now(), **facts)
    row = ImportRun.objects.filter(pk=run.pk)
    asked: list[float] = []
    browser_page.on("request", lambda sent: asked.append(time.monotonic()) if sent.url.endswith("/progress") else None)
    browser_page.goto(f"/accounts/login?next=/runs/{run.pk}")
    browser_page.get_by_label("Username").fill("maria")
    browser_page.get_by_label("Password").fill(PASSWORD)
    browser_page.get_by_role("button", name="Log in").click()
    row.update(step="parse", done=12, total=40, rows_read=31)
    browser_page.get_by_text("12 of 40 files, 31 rows read").wait_for()
    expect(browser_page.locator("progress")).to_have_attribute("value", "12")
    browser_page.get_by_role("button", name="Cancel this run").click()
    browser_page.get_by_text("Ending").wait_for()
    assert row.get().cancel_requested
    row.update(status="cancelled", finished_at=timezone.now())
    browser_page.locator(".runline").wait_for(state="detached")
    before = len(asked)
    browser_page.wait_for_timeout(2500)
    assert (before > 1, len(asked)) == (True, before)
    expect(browser_page.get_by_text("Cancelled").first).to_be_visible()
