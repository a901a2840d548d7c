"""The API's pages in Chromium: its documentation and REST framework's own, under the content policy of the whole site."""

import pytest
from django.conf import settings
from playwright.sync_api import expect

from aegis.accounts.tests.factories import make_user
from tests.api_world import make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(browser_page, live_server, client):
    """The browser of somebody who is logged in to the site."""
    make_world()
    client.force_login(make_user(username="maria"))
    name = settings.SESSION_COOKIE_NAME
    browser_page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
    return browser_page


def test_the_documentation_is_read_and_tried_without_inline_code(page):
    page.goto("/api/v1/docs")
    page.wait_for_selector("#operations-techniques-techniques_list")
    assert page.title() == "API · Aegis"
    page.click("#operations-auth-auth_me .opblock-summary-control")
    page.click("#operations-auth-auth_me .try-out__btn")
    page.click("#operations-auth-auth_me .execute")
    page.wait_for_selector("#operations-auth-auth_me .live-responses-table .response-col_status:has-text('200')")
    expect(page.locator("#operations-auth-auth_me .live-responses-table")).to_contain_text("maria")


def test_the_documentation_is_for_users(client, db):
    response = client.get("/api/v1/docs")
    assert (response.status_code, response["Location"]) == (302, "/accounts/login?next=/api/v1/docs")


def test_only_the_documentation_may_draw_data_images(client, db):
    client.force_login(make_user())
    policy = client.get("/api/v1/docs")["Content-Security-Policy"]
    assert "img-src 'self' data:" in policy
    assert "unsafe" not in policy
    assert "data:" not in client.get("/api/v1/techniques")["Content-Security-Policy"]


def test_the_browsable_api_shows_lists_rows_and_problems(page):
    page.goto("/api/v1/techniques")
    expect(page.locator(".content-main")).to_contain_text("T1059.001")
    page.goto("/api/v1/auth/me")
    expect(page.locator(".content-main")).to_contain_text("maria")
