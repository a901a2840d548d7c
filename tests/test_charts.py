"""Every chart of every page shows the same numbers as its table and the API, and every linked figure leads to as many rows."""

import pytest

from aegis.accounts.tests.factories import bearer, make_user
from tests.charts import charts_of, counted_links, how_many, printed
from tests.page_world import is_page, make_pages_world, page_addresses

pytestmark = pytest.mark.django_db
CHARTED = {
    "coverage:campaign-detail": {"campaign-outcomes"},
    "coverage:campaign-report": {"campaign-outcomes"},
    "coverage:report-executive": {"period-outcomes"},
    "coverage:home": {"backlogs", "status", "by-tactic", "trend"},
    "coverage:metrics": {
        "backlogs",
        "status",
        "trend",
        "by-tactic",
        "by-platform",
        "by-actor",
        "by-framework",
        "proof-age",
        "time-to-detect",
        "outcomes",
        "outcomes-by-month",
    },
}
"""Pages that must have at least these charts. Any other page is walked too."""


@pytest.fixture
def world():
    return make_pages_world()


@pytest.fixture
def admin(client):
    client.force_login(make_user("admin"))
    return client


@pytest.fixture
def pages(admin, world):
    """Every page that an admin can open, by route."""
    found = {route: admin.get(url) for route, url in page_addresses(world).items()}
    return {route: answer.content for route, answer in found.items() if is_page(answer)}


@pytest.fixture
def charted(admin, world):
    """The pages that are full of figures."""
    addresses = page_addresses(world)
    return [admin.get(addresses[route]).content for route in CHARTED]


def test_picture_table_and_api_show_the_same_numbers(pages):
    api = bearer()
    seen: dict[str, set[str]] = {}
    for route, page in pages.items():
        for chart in charts_of(page):
            where = f"{chart.name} on {route}"
            assert chart.picture, where
            assert {place: chart.table.get(place) for place in chart.picture} == chart.picture, where
            answer = api.get(chart.api)
            assert answer.status_code == 200, (where, chart.api)
            assert chart.of_the_api(answer.json()) == chart.table, where
            seen.setdefault(route, set()).add(chart.name)
    assert {route: names - seen.get(route, set()) for route, names in CHARTED.items()} == {
        route: set() for route in CHARTED
    }


def test_what_a_cell_prints_is_its_number(charted):
    cells = [cell for page in charted for cell in printed(page)]
    plain = [(chart, value, text) for chart, value, text in cells if chart != "time-to-detect"]
    assert len(plain) > 50
    assert [(chart, value, text) for chart, value, text in plain if float(text.replace(",", "")) != value] == []


def test_every_linked_figure_leads_to_as_many_rows(client, charted):
    links = {link for page in charted for link in counted_links(page)}
    assert len(links) > 40
    counted = {url: how_many(client.get(url).context) for url, _ in links}
    assert [(url, number, counted[url]) for url, number in sorted(links) if counted[url] != number] == []
