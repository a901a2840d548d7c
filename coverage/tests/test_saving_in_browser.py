"""The page of a test while people work in it: fields that save themselves, and two who write at once."""

import re

import pytest
from playwright.sync_api import expect

from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from coverage.models import Test
from coverage.services.recording import edit_test
from coverage.tests.factories import make_test
from coverage.tests.test_pages_in_browser import log_in


@pytest.fixture
def test(transactional_db) -> Test:
    """A draft of somebody who does both halves."""
    return make_test(by=make_user(Role.ADMIN, username="rita"), commands="whoami")


def by_another(test: Test, **changes: object) -> None:
    otto = User.objects.filter(username="otto").first() or make_user(Role.ADMIN, username="otto")
    edit_test(by=otto, test=test, changes=changes)


def test_each_field_saves_itself_and_the_page_says_so(test, browser_page):
    page = browser_page
    log_in(page, "rita", f"/tests/{test.pk}")
    page.get_by_label("Target").fill("WKS-1")
    expect(page.locator("#red-state")).to_have_text("Not saved yet")
    page.get_by_label("Target").press("Tab")
    expect(page.locator("#red-state")).to_have_text(re.compile("Saved"))
    page.get_by_label("Alerted: seen").select_option("yes")
    expect(page.locator("#blue-state")).to_have_text(re.compile("Saved"))
    expect(page.get_by_text("expected Alerted: met")).to_be_visible()
    test.refresh_from_db()
    assert (test.target, test.outcome, test.version) == ("WKS-1", "alerted", 3)
    expect(page.locator("#test-version")).to_have_text(f"Test {test.pk}, version 3")


def test_two_who_write_at_once_lose_nothing_and_hear_of_each_other(test, browser_page):
    page = browser_page
    log_in(page, "rita", f"/tests/{test.pk}")
    by_another(test, target="THEIRS")
    page.get_by_label("Platform").fill("Linux")
    page.get_by_label("Platform").press("Tab")
    expect(page.locator("#test-note")).to_contain_text(re.compile("otto edited it at .*, after you opened this page"))
    test.refresh_from_db()
    assert (test.platform, test.target) == ("Linux", "THEIRS")

    page.get_by_label("Target").fill("MINE")
    page.get_by_label("Target").press("Tab")
    expect(page.locator("#red-state")).to_have_text("Not saved")
    expect(page.locator("#test-note")).to_contain_text("THEIRS")
    expect(page.get_by_label("Target")).to_have_value("MINE")
    test.refresh_from_db()
    assert test.target == "THEIRS"

    page.get_by_role("button", name="put yours in its place").click()
    expect(page.locator("#red-state")).to_have_text(re.compile("Saved"))
    test.refresh_from_db()
    assert test.target == "MINE"


PASTE = """bytes => {
    const clipboard = new DataTransfer();
    clipboard.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
    document.querySelector("#blue_blue_notes").dispatchEvent(
        new ClipboardEvent("paste", { clipboardData: clipboard, bubbles: true, cancelable: true }));
}"""


def test_files_go_one_by_one_and_a_pasted_picture_gets_a_name(test, browser_page, tmp_path, settings):
    settings.EVIDENCE_MAX_BYTES = 1024 * 1024
    page = browser_page
    log_in(page, "rita", f"/tests/{test.pk}")
    for name, size in (("small.bin", 5000), ("large.bin", 1024 * 1024 + 1)):
        (tmp_path / name).write_bytes(bytes(size))
    red = page.locator(".half--red")
    red.get_by_label("Files").set_input_files([tmp_path / "small.bin", tmp_path / "large.bin"])
    red.get_by_label("Caption").fill("From the console")
    red.get_by_role("button", name="Attach").click()
    expect(red.get_by_role("link", name="small.bin")).to_be_visible()
    expect(red.locator("[data-files]")).to_contain_text("Not sent: it has 1.0 MB, at most 1.0 MB are taken")

    page.evaluate(PASTE, [137, 80, 78, 71])
    blue = page.locator(".half--blue")
    expect(blue.locator("[data-files]")).to_contain_text(re.compile(r"screenshot-\d{4}-\d\d-\d\d-\d{6}\.png"))
    blue.get_by_role("button", name="Attach").click()
    expect(blue.get_by_role("link", name=re.compile("screenshot"))).to_be_visible()
    assert [(row.side, row.size, row.caption) for row in test.evidence.all()] == [
        ("red", 5000, "From the console"),
        ("blue", 4, ""),
    ]
    expect(page.locator("#test-version")).to_have_text(f"Test {test.pk}, version 3")
