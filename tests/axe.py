"""What axe-core finds wrong with a page. It is handed to the page by the debugger, so the content policy stays as it is."""

from pathlib import Path
from typing import Any, Final

import axe_playwright_python
from playwright.sync_api import Page

SOURCE: Final = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RUN: Final = "async options => (await axe.run(document, options)).violations"
WHOLE: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS: Final = ("color-contrast", "link-in-text-block")
"""The rules that another set of colours can break."""
GRAVE: Final = {"serious", "critical"}


def faults(page: Page, *rules: str) -> list[str]:
    """The serious and critical violations, of these rules if any are named: the rule, and the first element that breaks it."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(SOURCE)
    options: dict[str, Any] = {"resultTypes": ["violations"], "runOnly": list(rules or WHOLE)}
    found = [violation for violation in page.evaluate(RUN, options) if violation["impact"] in GRAVE]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]} ({len(one['nodes'])} times)" for one in found]
