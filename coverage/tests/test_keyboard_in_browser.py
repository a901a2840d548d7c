"""The daily ways through Aegis with the keyboard alone: no pointer is used here, and nothing is focused but by its keys."""

import re

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_release, make_rule, make_tactic, make_technique
from coverage.models import Campaign, SavedView

FAR = 80
OUTLINES = "element => [element, element.closest('label')].map(one => one && getComputedStyle(one).outlineStyle)"


@pytest.fixture
def page(transactional_db, browser_page, live_server) -> Page:
    """A browser in which a red lead is logged in, over a matrix of two columns."""
    make_release("18.1")
    make_tactic("execution")
    make_tactic("persistence")
    make_technique("T1059", name="Alpha Interpreter")
    make_technique("T1203", name="Beta Exploit", platforms=["Linux"])
    make_technique("T1053", name="Booked Job", tactics=("persistence",))
    make_rule("T1059")
    client = Client()
    client.force_login(make_user(Role.RED_LEAD))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    browser_page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    return browser_page


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the focus, and it or the label around it shows that."""
    for _ in range(FAR):
        page.keyboard.press("Tab")
        if wanted.count() and wanted.first.evaluate("element => element === document.activeElement"):
            break
    expect(wanted.first).to_be_focused()
    assert "solid" in wanted.first.evaluate(OUTLINES)


def press(page: Page, *keys: str) -> None:
    """The keys, one after another."""
    for key in keys:
        page.keyboard.press(key)


def test_skip_link_is_first_and_leads_past_the_navigation(page):
    page.goto("/techniques")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    press(page, "Enter", "Tab")
    expect(page.locator("main :focus")).to_have_count(1)


def test_techniques_are_chosen_on_the_matrix_and_become_a_campaign(page):
    page.goto("/matrix")
    tab_to(page, page.locator(".mx .cell"))
    press(page, "x", "ArrowRight", "x")
    tab_to(page, page.get_by_role("button", name="Plan a campaign"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/campaigns/new*")
    tab_to(page, page.get_by_label("Name"))
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/campaigns/\d+$"))
    campaign = Campaign.objects.get(name="By keys")
    assert {str(test.technique_id) for test in campaign.tests.all()} == {"T1059", "T1053"}


def test_a_filter_is_set_the_table_twin_opened_and_the_view_kept(page):
    page.goto("/matrix")
    tab_to(page, page.get_by_label("Platform"))
    page.keyboard.type("Linux")
    page.wait_for_url("**platform=Linux*")
    expect(page.locator(".mx .cell:visible")).to_have_count(1)
    page.reload()
    tab_to(page, page.get_by_role("link", name="Table"))
    page.keyboard.press("Enter")
    page.wait_for_url("**view=table*")
    expect(page.get_by_role("row", name="Beta Exploit")).to_be_visible()
    views = page.locator("#views > summary")
    tab_to(page, views)
    press(page, "Enter", "Tab", "Escape")
    expect(views).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_label("Save this view as"))
    page.keyboard.type("Linux as a table")
    page.keyboard.press("Enter")
    page.wait_for_load_state()
    expect(page.get_by_text("Linux as a table").first).to_be_attached()
    assert SavedView.objects.get().query == "platform=Linux&view=table"


@pytest.mark.parametrize(
    ("path", "button", "drawer"), [("/work", "Open menu", "#nav"), ("/techniques", "Filters", "#filters")]
)
def test_what_opens_on_a_phone_closes_by_escape_and_gives_the_focus_back(page, path, button, drawer):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    opener = page.get_by_role("button", name=button)
    tab_to(page, opener)
    press(page, "Enter", "Tab")
    expect(page.locator(f"{drawer} :focus")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(drawer)).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(FAR):
        page.keyboard.press("Tab")
        if not page.evaluate(f"document.activeElement.closest('{drawer}')"):
            break
    expect(page.locator(drawer)).to_be_hidden()
