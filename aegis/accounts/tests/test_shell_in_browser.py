"""The shell in Chromium, under the policy that allows no inline script: its scripts run, and do what they promise."""

import pytest
from playwright.sync_api import expect

from aegis.accounts.tests.conftest import PASSWORD
from aegis.accounts.tests.views_under_test import COMMAND

HTMX_CONFIG = {
    "allowEval": False,
    "includeIndicatorStyles": False,
    "defaultSettleDelay": 0,
    "selfRequestsOnly": True,
    "allowScriptTags": False,
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
}


@pytest.fixture
def anna(transactional_db, small_site, user, browser_page):
    """A browser in which anna has logged in by the form."""
    browser_page.goto("/accounts/login?next=/command")
    browser_page.get_by_label("Username").fill("anna")
    browser_page.get_by_label("Password").fill(PASSWORD)
    browser_page.get_by_role("button", name="Log in").click()
    browser_page.wait_for_url("**/command")
    return browser_page


def test_htmx_runs_with_everything_dangerous_switched_off(anna):
    assert anna.evaluate(
        "names => Object.fromEntries(names.map(name => [name, htmx.config[name]]))", list(HTMX_CONFIG)
    ) == (HTMX_CONFIG)


def test_copy_button_copies_the_exact_bytes(anna):
    anna.evaluate("navigator.clipboard.writeText = async text => { window.copied = text }")
    anna.get_by_role("button", name="Copy").click()
    anna.get_by_text("Copied").wait_for()
    assert anna.evaluate("window.copied") == COMMAND
    expect(anna.locator(".odd")).to_have_text(["U+202E", "U+000D"])


def test_theme_is_remembered(anna):
    assert anna.evaluate("document.documentElement.dataset.theme || ''") == ""
    anna.get_by_role("button", name="Dark").click()
    anna.reload()
    assert anna.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(anna.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    anna.get_by_role("button", name="System").click()
    anna.reload()
    assert anna.evaluate("document.documentElement.dataset.theme || ''") == ""


def test_shell_fits_a_phone_and_its_menu_opens_without_a_script(anna):
    anna.set_viewport_size({"width": 360, "height": 740})
    assert anna.evaluate("document.documentElement.scrollWidth") <= 360
    expect(anna.locator("#nav")).to_be_hidden()
    anna.get_by_role("button", name="Open menu").click()
    expect(anna.locator("#nav")).to_be_visible()
    anna.get_by_role("button", name="Log out").click()
    anna.wait_for_url("**/accounts/login")
