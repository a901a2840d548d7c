"""The page of bundles in Chromium: a bundle is chosen, sent with its progress, verified and queued, or refused in words."""

from pathlib import Path

import pytest
from django.conf import settings as configured
from django.test import Client
from playwright.sync_api import Page, expect

from aegis.accounts.tests.factories import make_user
from imports.bundles.keys import public_text
from imports.bundles.tests.test_bundles import KEY, OTHER
from imports.bundles.tests.test_uploads import bundled
from imports.models import ImportRun
from imports.tests.small_world import SmallWorld

NOTE_PROGRESS = """
const row = document.querySelector("[data-progress]");
const button = document.querySelector("form[data-upload] button");
const tell = () => row.hidden || noted(`${button.disabled} ${row.textContent.trim()}`);
new MutationObserver(tell).observe(row, { attributes: true, childList: true, subtree: true, characterData: true });
"""


@pytest.fixture
def page(transactional_db, browser_page, live_server, settings, tmp_path) -> Page:
    """A browser in which an admin looks at the page of bundles of an installation that trusts one key."""
    kept = {"snapshots": configured.STORAGES["snapshots"] | {"OPTIONS": {"location": tmp_path / "kept"}}}
    settings.STORAGES = configured.STORAGES | kept
    settings.AEGIS_BUNDLE_KEYS = [public_text(KEY.public_key())]
    client = Client()
    client.force_login(make_user("admin", username="maria"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    browser_page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    browser_page.goto("/sources/bundle")
    return browser_page


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    small = SmallWorld(tmp_path / "mirror")
    small.rules(3)
    return small


def send(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Upload").click()


def test_bundle_is_sent_with_its_progress_verified_and_queued(page, world):
    seen: list[str] = []

    def noted(words: str) -> None:
        seen.append(words)

    page.expose_function("noted", noted)
    page.evaluate(NOTE_PROGRESS)
    send(page, bundled(world))
    expect(page.get_by_text("1 preview is queued.")).to_be_visible()
    assert seen[-1] == "true Verifying …"
    (run,) = ImportRun.objects.select_related("requested_by")
    assert (run.status, run.dry_run, run.given != "", str(run.requested_by)) == ("queued", True, True, "maria")
    expect(page.locator(f"a[href='/runs/{run.pk}']").first).to_be_visible()


def test_bundle_that_is_refused_says_why_and_another_can_be_sent(page, world):
    send(page, bundled(world, key=OTHER))
    refusal = page.locator("[data-refusal]")
    expect(refusal).to_contain_text("which is not trusted here")
    expect(page.locator("[data-progress]")).to_be_hidden()
    assert ImportRun.objects.count() == 0
    send(page, bundled(world))
    expect(page.get_by_text("1 preview is queued.")).to_be_visible()
    expect(refusal).to_be_hidden()


def test_file_above_the_limit_is_not_even_sent(page, world, settings):
    settings.BUNDLE_MAX_BYTES = 1024
    page.reload()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    send(page, bundled(world))
    expect(page.locator("[data-refusal]")).to_contain_text("Not sent: it has 0.0 MB, at most 0.0 MB are taken.")
    assert "POST" not in asked
