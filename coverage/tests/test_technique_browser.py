"""The tabs in a browser: they swap in place, keep the URL, and go back."""

import pytest
from playwright.sync_api import expect

from aegis.accounts.tests.factories import PASSWORD, make_user
from catalog.tests.factories import make_rule, make_technique


@pytest.fixture
def page(transactional_db, browser_page):
    """The page of a technique, for somebody who has just logged in."""
    make_technique("T9001")
    make_rule("T9001", name="A rule that sees it")
    make_user(username="anna")
    browser_page.goto("/accounts/login?next=/techniques/T9001")
    browser_page.get_by_label("Username").fill("anna")
    browser_page.get_by_label("Password").fill(PASSWORD)
    browser_page.get_by_role("button", name="Log in").click()
    browser_page.wait_for_url("**/techniques/T9001")
    return browser_page


def test_a_tab_swaps_in_place_and_the_back_button_returns(page):
    page.evaluate("window.stays = true")
    page.get_by_role("link", name="Detect").click()
    page.get_by_text("A rule that sees it").wait_for()
    expect(page).to_have_url("/techniques/T9001?tab=detect")
    assert page.evaluate("window.stays")
    expect(page.locator("#tab-detect[aria-current=page]")).to_be_focused()
    page.go_back()
    page.get_by_text("What it is").wait_for()
    expect(page.locator("main h1")).to_have_count(1)


@pytest.mark.parametrize("path", ["/", "/techniques", "/techniques/T9001?tab=detect", "/techniques/T9001?tab=history"])
def test_pages_fit_a_phone(page, path):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
