"""Library pages in Chromium: filters narrow the list as one types, and the address says what is shown."""

import re

import pytest
from playwright.sync_api import expect

from aegis.accounts.tests.factories import PASSWORD, make_user
from catalog.tests.factories import make_rule, make_technique


@pytest.fixture
def viewer(transactional_db, browser_page):
    """A browser at the list of rules, in which a viewer has logged in."""
    make_technique("T1059")
    make_rule("T1059", name="Encoded command", severity="high")
    make_rule("T1059", name="Quiet logon", severity="low")
    user = make_user()
    browser_page.goto("/accounts/login?next=/rules")
    browser_page.get_by_label("Username").fill(user.username)
    browser_page.get_by_label("Password").fill(PASSWORD)
    browser_page.get_by_role("button", name="Log in").click()
    browser_page.wait_for_url("**/rules")
    return browser_page


def test_list_narrows_while_one_types_and_the_address_says_how(viewer):
    viewer.get_by_role("searchbox", name="Search", exact=True).fill("encoded")
    viewer.wait_for_url("**/rules?search=encoded")
    expect(viewer.locator("td a.name")).to_have_text(["Encoded command"])
    expect(viewer.locator("#count")).to_have_text("1")
    viewer.reload()
    expect(viewer.locator("td a.name")).to_have_text(["Encoded command"])


def test_list_sorts_and_keeps_its_filter(viewer):
    viewer.get_by_label("Platform").select_option("Windows")
    viewer.wait_for_url("**/rules?platform=Windows")
    viewer.get_by_role("link", name="Severity").click()
    viewer.wait_for_url("**/rules?*ordering=severity*")
    expect(viewer).to_have_url(re.compile("platform=Windows"))
    expect(viewer.locator("td a.name")).to_have_text(["Quiet logon", "Encoded command"])


@pytest.mark.parametrize("width", [360, 390, 1440])
def test_rule_fits_the_window_and_its_file_opens_without_a_script(viewer, width):
    viewer.set_viewport_size({"width": width, "height": 800})
    assert viewer.evaluate("document.documentElement.scrollWidth") == width
    viewer.get_by_role("link", name="Encoded command").click()
    viewer.wait_for_url("**/rules/*")
    assert viewer.evaluate("document.documentElement.scrollWidth") == width
    expect(viewer.get_by_text("title: the whole file")).to_be_hidden()
    viewer.get_by_text("Whole file", exact=True).click()
    expect(viewer.get_by_text("title: the whole file")).to_be_visible()
