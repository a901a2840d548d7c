"""The browser that judges our pages: it sees what is wrong, and has nothing to say about the login page."""

import pytest

from tests.watch import watched

ELSEWHERE = "http://127.0.0.2:9/"
PATIENCE = 50


@pytest.mark.parametrize("width", [390, 1440])
def test_login_page_is_quiet_and_fits_the_window(browser_page, width):
    browser_page.set_viewport_size({"width": width, "height": 844})
    answer = browser_page.goto("/accounts/login")
    assert answer.status == 200
    assert browser_page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(
    ("deed", "complaint"),
    [
        ("document.body.setAttribute('style', 'color: red')", "content policy: style-src-attr refused inline"),
        ("console.error('broken')", "broken"),
        ("setTimeout(() => { throw new Error('boo') })", "uncaught boo"),
        (f"location.href = '{ELSEWHERE}'", f"asked another host for {ELSEWHERE}"),
    ],
)
def test_what_goes_wrong_in_a_page_is_seen(browser, live_server, deed, complaint):
    context = browser.new_context()
    page = context.new_page()
    problems = watched(page, live_server.url)
    page.goto(f"{live_server.url}/accounts/login")
    assert problems == []
    page.evaluate(deed)
    for _ in range(PATIENCE):
        if not problems:
            page.wait_for_timeout(100)
    context.close()
    assert any(problem.endswith(complaint) for problem in problems), problems
