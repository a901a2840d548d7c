"""The matrix in Chromium, under the real content policy: walked by keys, opened, filtered without a new page."""

import re

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from aegis.accounts.models import User
from catalog.tests.factories import make_release, make_rule, make_tactic, make_technique, make_template
from intel.tests.factories import make_actor


@pytest.fixture
def page(transactional_db, browser_page, live_server) -> Page:
    """A browser in which a viewer is logged in, over a matrix of two columns."""
    make_release("18.1")
    make_tactic("execution")
    make_tactic("persistence")
    make_technique("T1059", name="Alpha Interpreter")
    make_technique("T1059.001", name="Blue Shell")
    make_technique("T1059.004", name="Tidy/Neat Shell", platforms=["Linux"])
    make_technique("T1203", name="Beta Exploit")
    make_technique("T1053", name="Booked Job", tactics=("persistence",))
    make_rule("T1059", "T1059.001")
    make_template("T1059.001")
    make_actor("T1059.001", mitre_id="G0016", name="Quiet Owl")
    client = Client()
    client.force_login(User.objects.create_user("vera"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    browser_page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    return browser_page


def focused(page: Page) -> str:
    """The name of the cell that has the focus."""
    return page.evaluate("document.activeElement.querySelector('.t').textContent")


def walk(page: Page, *keys: str) -> list[str]:
    """The names of the cells that the keys lead to."""
    names = []
    for key in keys:
        page.keyboard.press(key)
        names.append(focused(page))
    return names


def test_arrows_walk_and_the_line_below_tells_what_is_under_the_focus(page):
    page.goto("/matrix")
    page.locator(".cell[tabindex='0']").focus()
    assert focused(page) == "Alpha Interpreter"
    assert walk(page, "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp") == [
        "Beta Exploit",
        "Beta Exploit",
        "Booked Job",
        "Booked Job",
        "Alpha Interpreter",
        "Alpha Interpreter",
    ]
    expect(page.locator(".mx-facts > span")).to_have_text(
        ["T1059", "Alpha Interpreter", "1 rule", "1 template", "1 actor", "not tested"]
    )
    expect(page.locator(".mx [tabindex='0']")).to_have_count(1)


def test_pointing_at_a_cell_tells_its_figures(page):
    page.goto("/matrix?open=T1059&ids=1")
    page.locator(".subs .cell").nth(1).hover()
    expect(page.locator(".mx-facts > span").nth(0)).to_have_text("T1059.004")
    expect(page.locator(".mx-facts > span").nth(1)).to_have_text("Tidy/Neat Shell")


def test_space_opens_sub_techniques_and_the_address_remembers_it(page):
    page.goto("/matrix")
    page.locator(".cell[tabindex='0']").focus()
    page.keyboard.press("Space")
    expect(page.locator(".subs .cell:visible").first).to_contain_text("Blue Shell")
    expect(page).to_have_url("/matrix?open=T1059%7Eexecution")
    assert walk(page, "ArrowRight", "ArrowDown", "ArrowLeft", "ArrowDown", "ArrowUp", "ArrowRight", "End", "Home") == [
        "Blue Shell",
        "Tidy/Neat Shell",
        "Alpha Interpreter",
        "Beta Exploit",
        "Alpha Interpreter",
        "Blue Shell",
        "Tidy/Neat Shell",
        "Blue Shell",
    ]
    page.reload()
    expect(page.locator(".subs .cell:visible")).to_have_count(2)
    page.locator(".subs .cell").first.focus()
    page.keyboard.press("Space")
    assert focused(page) == "Alpha Interpreter"
    expect(page.locator(".subs .cell:visible")).to_have_count(0)
    expect(page).to_have_url("/matrix")


def test_side_of_a_cell_opens_its_sub_techniques_and_closes_them_where_all_are_open(page):
    page.goto("/matrix?subs=all")
    more = page.get_by_role("link", name="2 sub-techniques of Alpha Interpreter")
    more.click()
    expect(more).to_have_attribute("aria-expanded", "false")
    expect(page).to_have_url("/matrix?subs=all&closed=T1059%7Eexecution")
    more.click()
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(page).to_have_url("/matrix?subs=all")


def test_enter_opens_the_page_of_the_technique(page):
    page.goto("/matrix")
    page.locator(".cell[tabindex='0']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/techniques/T1059")


def test_filters_swap_the_matrix_without_a_new_page_and_stand_in_the_address(page):
    page.goto("/matrix?open=T1059~execution")
    page.evaluate("window.sameDocument = true")
    page.get_by_label("Platform").select_option("Linux")
    page.wait_for_url("**platform=Linux*")
    expect(page.locator(".mx .cell:visible")).to_have_count(2)
    expect(page).to_have_url(re.compile("open=T1059"))
    page.get_by_label("Technique name or id").fill("neat")
    page.wait_for_url("**search=neat*")
    expect(page.locator("#mx-figures")).to_contain_text("1 of 5 techniques shown.")
    assert page.evaluate("window.sameDocument && document.activeElement.name") == "search"
    page.locator(".cell[tabindex='0']").focus()
    assert walk(page, "ArrowRight") == ["Tidy/Neat Shell"]
    page.get_by_role("link", name="Table").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("search=neat.*view=table"))


def test_sub_techniques_open_all_at_once(page):
    page.goto("/matrix?closed=T1059~execution")
    page.get_by_text("Annotated", exact=True).click()
    expect(page.locator(".subs .cell:visible")).to_have_count(2)
    expect(page).to_have_url("/matrix?subs=annotated")


def test_actor_is_marked_and_taken_away_again(page):
    page.goto("/matrix?open=T1059")
    page.get_by_text("Overlay", exact=True).click()
    page.get_by_label("Actor").select_option("G0016")
    expect(page.locator(".is-used .t")).to_have_text("Blue Shell")
    expect(page.locator(".is-used-below .t")).to_have_text("Alpha Interpreter")
    expect(page.get_by_label("Actor")).to_have_value("")
    page.get_by_label("Sort").select_option("rules")
    page.wait_for_url("**sort=rules*")
    expect(page).to_have_url(re.compile("^(?!.*actor.*actor).*actor=G0016"))
    expect(page.get_by_role("list", name="Overlays")).to_contain_text("Actor Quiet Owl 1 technique, 1 claimed")
    page.get_by_role("link", name="Take Quiet Owl away").click()
    expect(page.locator(".is-used")).to_have_count(0)


@pytest.mark.parametrize(
    "address", ["/matrix?open=T1059&actor=G0016&ids=1", "/matrix?view=table", "/matrix?search=nothing"]
)
def test_page_never_scrolls_sideways_on_a_phone(page, address):
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_techniques_are_selected_by_keys_and_pointer_and_outlive_a_filter(page):
    make_technique("T1053.005", name="Twice Booked", tactics=("execution", "persistence"))
    page.goto("/matrix?subs=all")
    bar = page.get_by_role("group", name="Selected techniques")
    expect(bar).to_be_hidden()
    page.locator(".cell[tabindex='0']").focus()
    page.keyboard.press("x")
    page.keyboard.press("Shift+ArrowRight")
    expect(bar).to_contain_text("2 selected")
    assert ticked(page) == ["T1059", "T1059.001"]
    page.locator('input[value="T1053.005"]').first.check()
    expect(bar).to_contain_text("3 selected")
    assert ticked(page) == ["T1053.005", "T1053.005", "T1059", "T1059.001"]
    page.get_by_label("Sort").select_option("rules")
    page.wait_for_url("**sort=rules*")
    expect(bar).to_contain_text("3 selected")
    with page.expect_download() as download:
        bar.get_by_role("button", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ['"T1059"', '"T1059.001"', '"T1053.005"']
    bar.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    assert ticked(page) == []


def ticked(page: Page) -> list[str]:
    """The ids of the boxes that are ticked, sorted."""
    return sorted(box.get_attribute("value") for box in page.locator('.mx input[name="technique"]:checked').all())


def test_heads_of_the_columns_stay_in_sight(page):
    for number in range(40):
        make_technique(f"T15{number:02}")
    page.goto("/matrix")
    head = page.get_by_role("link", name="Execution")
    before = head.bounding_box()
    page.locator(".mx").evaluate("frame => frame.scrollTo(0, 500)")
    assert page.locator(".mx").evaluate("frame => frame.scrollTop") == 500
    assert head.bounding_box() == before


def test_families_open_without_a_script(page, browser, live_server):
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    context.add_cookies(page.context.cookies())
    plain = context.new_page()
    plain.goto("/matrix")
    plain.get_by_role("link", name="2 sub-techniques of Alpha Interpreter").click()
    expect(plain.locator(".subs .cell:visible")).to_have_count(2)
    context.close()


def test_the_grid_begins_high_with_every_control_and_an_overlay_in_sight(page):
    make_actor("T1203", mitre_id="G0017", name="Loud Bear")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/matrix?actor=G0016")
    for control in ("Platform", "Sort", "Technique name or id"):
        expect(page.get_by_label(control)).to_be_visible()
    expect(page.get_by_role("checkbox", name="Ids", exact=True)).to_be_visible()
    for control in ("Overlay", "How to read it"):
        expect(page.locator("summary", has_text=control)).to_be_visible()
    expect(page.get_by_role("link", name="Take Quiet Owl away")).to_be_visible()
    assert page.locator(".mx-frame").bounding_box()["y"] <= 200


def test_an_overlay_stands_in_the_bar_and_outlives_a_search(page):
    page.goto("/matrix")
    page.locator("summary", has_text="Overlay").click()
    page.get_by_label("Actor").select_option("G0016")
    expect(page.locator("#mx-said")).to_contain_text("Quiet Owl")
    page.get_by_label("Technique name or id").fill("blue")
    expect(page.locator("#mx-figures")).to_contain_text("techniques shown")
    expect(page).to_have_url(re.compile("actor=G0016"))
    page.get_by_role("link", name="Take Quiet Owl away").click()
    expect(page.locator("#mx-said")).not_to_contain_text("Quiet Owl")
