"""What a browser complains about while it shows a page."""

import re

from playwright.sync_api import ConsoleMessage, Page, Request

REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", event =>
    console.error(`content policy: ${event.effectiveDirective} refused ${event.blockedURI}`))
"""


REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (400|409|413) ")
"""What Chromium writes when a page asks for what cannot be: the page shows the reason, and its test looks for it."""


def watched(page: Page, site: str) -> list[str]:
    """A list that grows while `page` is used: console errors, uncaught exceptions, violations of the content policy, and
    requests to another host than `site`; each with the address of the page.
    """
    problems: list[str] = []

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error" and not REFUSED.match(message.text):
            problems.append(f"{page.url}: {message.text}")

    def note_request(request: Request) -> None:
        if not request.url.startswith((f"{site}/", "data:", "blob:")):
            problems.append(f"{page.url}: asked another host for {request.url}")

    page.add_init_script(REPORT_VIOLATIONS)
    page.on("console", note_console)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: uncaught {error}"))
    page.on("request", note_request)
    return problems
