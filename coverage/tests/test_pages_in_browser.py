"""A whole day in the browser: one person records a test with evidence, another one decides, and the pages move."""

import re

import pytest
from playwright.sync_api import expect

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import PASSWORD, make_user
from catalog.tests.factories import make_release, make_rule, make_tactic, make_technique, make_template
from coverage.models import Test
from coverage.tests.factories import make_campaign

MOMENT = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
ARGUMENTS = [{"name": "word", "description": "What to say", "type": "string", "default": "hello"}]


def log_in(page, username: str, path: str) -> None:
    page.goto("about:blank")  # an answer to the page before, if it came late, would bring its cookie along
    page.context.clear_cookies()
    page.goto(f"/accounts/login?next={path}")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**{path}")


@pytest.fixture
def world(transactional_db):
    """A template for a technique that a rule names, somebody who does both halves, and a lead."""
    make_release()
    make_tactic("execution")
    make_technique("T9001", tactics=["execution"], name="Scripting")
    make_rule("T9001", name="Sees the script")
    ways = [
        {
            "platform": "Windows",
            "executor": "powershell",
            "command": "Write-Host #{word}",
            "cleanup": "",
            "elevation_required": False,
            "payloads": [],
        }
    ]
    make_user(Role.ADMIN, username="rita")
    make_user(Role.BLUE_LEAD, username="lea")
    return make_template("T9001", name="Run a script", executors=ways, input_arguments=ARGUMENTS)


def test_a_test_from_the_template_to_the_decision_of_another_lead(world, browser_page, tmp_path):
    page = browser_page
    log_in(page, "rita", f"/templates/{world.pk}")
    page.get_by_role("button", name="Create test").click()
    page.wait_for_url(re.compile(r"/tests/\d+$"))
    url = page.url
    expect(page.get_by_label("powershell · as run", exact=True)).to_have_text("Write-Host hello")

    page.get_by_label("Target").fill("WKS-1")
    for name in ("Started UTC", "Ended UTC"):
        field = page.get_by_label(name)
        field.locator("xpath=..").get_by_role("button", name="Now").click()
        expect(field).to_have_value(MOMENT)
    page.get_by_label("Result").select_option("succeeded")
    page.get_by_label("Cleanup done").check()
    expect(page.locator("#red-state")).to_have_text(re.compile("Saved"))

    page.get_by_label("Alerted: seen").select_option("yes")
    page.get_by_label("Sees the script").check()
    expect(page.locator("#blue-state")).to_have_text(re.compile("Saved"))
    page.get_by_text("expected Alerted: met").wait_for()

    proof = tmp_path / "console.txt"
    proof.write_text("hello")
    page.get_by_label("Files").first.set_input_files(proof)
    page.get_by_role("button", name="Attach").first.click()
    page.get_by_role("link", name="console.txt").wait_for()

    page.get_by_role("button", name="Submit for review").click()
    page.get_by_text("Four eyes: you").wait_for()
    expect(page.get_by_role("button", name="Validate")).to_have_count(0)

    log_in(page, "lea", "/work")
    page.get_by_role("link", name="Run a script").click()
    page.wait_for_url(url)
    page.get_by_role("button", name="Validate").click()
    page.get_by_text("The test is validated.").wait_for()

    page.goto("/techniques/T9001")
    page.locator(".strip").get_by_text("Validated").wait_for()
    page.goto("/matrix")
    cell = page.locator(".cell[href='/techniques/T9001']")
    expect(cell).to_have_attribute("title", re.compile("validated, 1 of 1 test met"))
    test = Test.objects.get()
    assert (test.outcome, test.verdict, test.decided_by.get_username()) == ("alerted", "met", "lea")


def test_pages_of_tests_fit_a_phone(world, browser_page):
    page = browser_page
    log_in(page, "rita", f"/templates/{world.pk}")
    page.get_by_role("button", name="Create test").click()
    page.wait_for_url(re.compile(r"/tests/\d+$"))
    page.set_viewport_size({"width": 360, "height": 740})
    for path in (page.url, "/tests", "/tests/new", "/work", "/techniques/T9001"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_tests_of_a_campaign_are_dragged_or_moved_by_keyboard_to_their_place(world, browser_page):
    page, campaign = browser_page, make_campaign("T9001", "T9002", "T9003")
    log_in(page, "rita", f"/campaigns/{campaign.pk}")
    rows = page.locator("tr[data-order]")
    first, second, third = (rows.nth(number).get_attribute("data-order") for number in range(3))
    with page.expect_response("**/order"):
        rows.nth(2).drag_to(rows.nth(0), target_position={"x": 20, "y": 2})
    expect(rows.nth(0)).to_have_attribute("data-order", third)
    assert [str(test.pk) for test in campaign.tests.in_campaign_order()] == [third, first, second]
    with page.expect_response("**/order"):
        page.locator(f"#down-{third}").press("Enter")
    expect(rows.nth(1)).to_have_attribute("data-order", third)
    expect(page.locator(f"#down-{third}")).to_be_focused()
    assert [str(test.pk) for test in campaign.tests.in_campaign_order()] == [first, third, second]


def test_every_entry_of_the_navigation_is_seen_in_a_window_900_px_high(world, browser_page):
    page = browser_page
    page.set_viewport_size({"width": 1440, "height": 900})
    log_in(page, "rita", "/work")
    last = page.locator(".nav-link").last
    expect(last).to_contain_text("Django admin")
    box = last.bounding_box()
    assert box["y"] + box["height"] <= page.locator(".nav-foot").bounding_box()["y"]


def test_what_was_said_before_is_gone_once_something_else_is_said(world, browser_page):
    page = browser_page
    log_in(page, "rita", f"/templates/{world.pk}")
    page.get_by_role("button", name="Create test").click()
    draft = page.get_by_text("is a draft. Fill in what you do")
    expect(draft).to_be_visible()
    page.get_by_role("button", name="Submit for review").click()
    expect(page.get_by_text("The test is in review.")).to_be_visible()
    expect(draft).to_be_hidden()


def test_reports_are_read_on_a_phone_without_scrolling_sideways(world, browser_page):
    page, campaign = browser_page, make_campaign("T9001", "T9002", name="Autumn")
    page.set_viewport_size({"width": 360, "height": 740})
    log_in(page, "rita", f"/campaigns/{campaign.pk}/report")
    for path in (f"/campaigns/{campaign.pk}/report", "/reports/executive"):
        page.goto(path)
        wide = "[...document.querySelectorAll('.report section')].filter(one => one.scrollWidth > one.clientWidth)"
        assert page.evaluate(f"{wide}.map(one => one.innerText)") == [], path


def test_the_time_of_a_fact_is_written_by_a_button_also_in_facts_that_came_later(world, browser_page):
    page = browser_page
    log_in(page, "rita", f"/templates/{world.pk}")
    page.get_by_role("button", name="Create test").click()
    now = page.locator("#facts").get_by_role("button", name="Now")
    expect(now).to_have_count(4)
    page.get_by_label("Logged: seen").select_option("yes")
    page.get_by_role("button", name="Logged at: Now").click()
    expect(page.get_by_label("Logged at, UTC")).to_have_value(MOMENT)
    expect(page.locator("#blue-state")).to_have_text(re.compile("Saved"))

    page.get_by_label("Kind").select_option("logged")
    page.get_by_label("Another fact: seen").select_option("yes")
    expect(now).to_have_count(5)
    page.get_by_role("button", name="Another fact at: Now").last.click()
    expect(page.get_by_label("Another fact at, UTC").last).to_have_value(MOMENT)
