"""Library pages in Chromium: filters narrow the list as one types, and the address says what is shown."""

import pytest

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
    assert viewer.locator("td a.name").all_inner_texts() == ["Encoded command"]
    assert viewer.locator("#count").inner_text() == "1"
    viewer.reload()
    assert viewer.locator("td a.name").all_inner_texts() == ["Encoded command"]


def test_list_sorts_and_keeps_its_filter(viewer):
    viewer.get_by_label("Platform").select_option("Windows")
    viewer.wait_for_url("**/rules?platform=Windows")
    viewer.get_by_role("link", name="Severity").click()
    viewer.wait_for_url("**/rules?*ordering=severity*")
    assert "platform=Windows" in viewer.url
    assert viewer.locator("td a.name").all_inner_texts() == ["Quiet logon", "Encoded command"]


@pytest.mark.parametrize("width", [360, 390, 1440])
def test_rule_fits_the_window_and_its_file_opens_without_a_script(viewer, width):
    viewer.set_viewport_size({"width": width, "height": 800})
    assert viewer.evaluate("document.documentElement.scrollWidth") == width
    viewer.get_by_role("link", name="Encoded command").click()
    viewer.wait_for_url("**/rules/*")
    assert viewer.evaluate("document.documentElement.scrollWidth") == width
    assert not viewer.get_by_text("title: the whole file").is_visible()
    viewer.get_by_text("Whole file", exact=True).click()
    assert viewer.get_by_text("title: the whole file").is_visible()
