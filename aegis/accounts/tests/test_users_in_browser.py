"""From a new user to their first login, in Chromium, under the policy that allows no inline script, on desk and phone."""

import pytest
from playwright.sync_api import expect

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user

PASSWORD = "correct horse battery"


@pytest.mark.parametrize("width", [1440, 390, 360])
def test_admin_makes_a_user_who_sets_a_password_and_logs_in(transactional_db, browser_page, width):
    make_user(Role.ADMIN, username="root", password=PASSWORD)
    page = browser_page
    page.set_viewport_size({"width": width, "height": 800})

    def fits():
        return page.evaluate("document.documentElement.scrollWidth") <= width

    def log_in(username):
        page.goto("/accounts/login?next=/accounts/profile")
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/accounts/profile")

    log_in("root")
    assert fits()
    page.goto("/users")
    assert fits()
    page.get_by_role("link", name="New user").click()
    page.get_by_label("Username").fill("maria")
    page.get_by_label("Role").select_option("red_tech")
    page.get_by_role("button", name="Create user").click()
    link = page.locator("code", has_text="/accounts/link/").inner_text().strip()
    assert fits()
    page.goto("/accounts/profile")
    page.context.clear_cookies()
    page.goto(link)
    assert fits()
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password confirmation").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    page.get_by_text("Your password is set. Log in with it.").wait_for()
    log_in("maria")
    expect(page.locator("dd", has_text="Red tech")).to_be_visible()
