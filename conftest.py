"""Fixtures that every test may use: the real upstreams, and a browser that forgives nothing."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, sync_playwright

from tests.watch import watched

ROOT = Path(__file__).resolve().parent
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "live_server", "admin_client", "admin_user"}
TEST_SETTINGS = "aegis.settings_test"
# The first is the engine without windows, which Playwright too would take: tests in it end in two thirds of the time.
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

SLOW_IS_FINE = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("dev", parent=SLOW_IS_FINE)
hypothesis.settings.register_profile("ci", parent=SLOW_IS_FINE, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_configure() -> None:
    # The folder of the data is removed at the end: it must not be that of an installation.
    if settings.SETTINGS_MODULE != TEST_SETTINGS:
        pytest.exit(f"the tests run on {TEST_SETTINGS}: unset DJANGO_SETTINGS_MODULE", returncode=4)
    settings.DATA_DIR.mkdir(exist_ok=True)


def pytest_unconfigure() -> None:
    if settings.SETTINGS_MODULE == TEST_SETTINGS:
        shutil.rmtree(settings.DATA_DIR, ignore_errors=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by what it needs, and let those in the browser run last, of each kind the longest first.

    Playwright keeps an event loop running in its thread from the first browser test on. A long test that started late would
    leave the other workers without work.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & DATABASE_FIXTURES or item.get_closest_marker("django_db"):
            item.add_marker("database")
        if fixtures & {"browser", "browser_page"}:
            item.add_marker("browser")
        if fixtures & {"mirror", "mirror_2025"}:
            item.add_marker("mirror")
    items.sort(key=lambda item: (_has(item, "browser"), not _has(item, "long")))


def _has(item: pytest.Item, marker: str) -> bool:
    return item.get_closest_marker(marker) is not None


def pytest_collection_finish() -> None:
    """Spare the collector of garbage the five thousand tests, which are none: it took a fifteenth of the whole run."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder that holds the real upstreams at `<host>/<path>`: `AEGIS_MIRROR`, or else ../shared/mirror."""
    folder = Path(os.environ.get("AEGIS_MIRROR") or ROOT.parent / "shared" / "mirror").resolve()
    if not folder.is_dir():
        pytest.skip(f"no mirror of the real upstreams at {folder} (set AEGIS_MIRROR)")
    return folder


@pytest.fixture(scope="session")
def mirror_2025(mirror: Path) -> Path:
    """The same upstreams as they were in May 2025, in the sibling folder: what an installation upgrades from."""
    folder = mirror.with_name("mirror-2025-05")
    if not folder.is_dir():
        pytest.skip(f"no mirror of May 2025 at {folder}")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, headless. Skips where none is installed: `make test` says how to get it."""
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if not executable:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium-headless-shell)")
    # The running event loop of Playwright makes Django refuse the ORM in this thread, where nothing is asynchronous.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def browser_page(browser: Browser, live_server) -> Iterator[Page]:
    """A page of the running site at 1440 pixels; `page.goto("/matrix")` is enough.

    The test fails on an error in the console, an uncaught exception, a violation of the content policy, and on a request to
    any other host.
    """
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    problems = watched(page, live_server.url)
    yield page
    context.close()
    assert not problems, "\n".join(problems)
