"""Every page of ours in Chromium, light and dark, on a desk and on a phone: axe finds nothing grave, and nothing complains."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from aegis.accounts.tests.factories import make_user
from tests.axe import COLOURS, faults
from tests.page_world import is_page, make_pages_world, page_addresses
from tests.watch import watched

pytestmark = pytest.mark.long
DESK, PHONE = 1440, 390


@pytest.fixture
def pages(transactional_db):
    """The address of each page by its route, and an admin's session."""
    world, client = make_pages_world(), Client()
    client.force_login(make_user("admin"))
    answers = {(route, url): client.get(url) for route, url in page_addresses(world).items()}
    found = {route: url for (route, url), answer in answers.items() if is_page(answer)}
    assert [route for route, url in found.items() if b"invalid name" in answers[route, url].content] == []
    return found, client.cookies[settings.SESSION_COOKIE_NAME].value


def complaints(page: Page, url: str) -> Iterator[str]:
    """What is wrong with one page. It is loaded once: its colours change, and its width."""
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": DESK, "height": 900})
    answer = page.goto(url)
    if answer is None or answer.status != 200:
        yield f"answers {answer and answer.status}"
    yield from faults(page)
    page.emulate_media(color_scheme="dark")
    yield from (f"dark {fault}" for fault in faults(page, *COLOURS))
    for width in (DESK, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        needed = page.evaluate("document.documentElement.scrollWidth")
        if needed > width:
            yield f"is {needed} pixels wide on {width}"


def test_no_page_has_a_grave_fault(pages, browser: Browser, live_server):
    addresses, session = pages
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page = context.new_page()
    problems = watched(page, live_server.url)
    found = [f"{route}: {complaint}" for route, url in addresses.items() for complaint in complaints(page, url)]
    context.close()
    assert found + problems == []


def test_axe_sees_a_fault_that_we_plant(browser_page):
    browser_page.goto("/accounts/login")
    assert faults(browser_page) == []
    browser_page.evaluate("document.querySelector('input[name=username]').labels[0].remove()")
    assert [fault.partition(":")[0] for fault in faults(browser_page)] == ["label"]
