"""A lead gives a gap away in its row, by keyboard alone, and reads in the row what cannot be."""

import pytest
from playwright.sync_api import expect

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_release, make_technique
from coverage.models import GapAssignment
from coverage.tests.test_pages_in_browser import log_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_gap_is_assigned_in_its_row_by_keyboard(browser_page):
    make_release()
    make_technique("T9001")
    make_user(Role.BLUE_TECH, username="maria")
    make_user(Role.RED_LEAD, username="lena")
    page = browser_page
    log_in(page, "lena", "/gaps")
    page.get_by_role("link", name="Assign the gap of T9001").press("Enter")
    owner = page.get_by_label("Owner", exact=True).last
    expect(owner).to_be_focused()
    owner.select_option("maria")
    page.get_by_label("Due").fill("2020-01-01")
    page.get_by_label("Note").press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This day has passed: choose today or later.")
    page.get_by_label("Due").fill("2190-01-31")
    page.get_by_role("button", name="Save").press("Enter")
    change = page.get_by_role("link", name="Change the owner of the gap of T9001")
    expect(change).to_be_focused()
    expect(page.locator("tbody .owner")).to_contain_text("due 31 Jan 2190")
    expect(page).to_have_url("/gaps")
    assert GapAssignment.objects.standing().get().owner.username == "maria"
    change.press("Enter")
    page.get_by_role("link", name="Cancel").press("Enter")
    expect(change).to_be_focused()
