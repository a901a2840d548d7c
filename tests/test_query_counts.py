"""How many queries each page takes, pinned in query_counts.txt: it fails when one grows, or when a page has no line."""

from pathlib import Path
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aegis.accounts.tests.factories import make_user
from tests.page_world import is_page, make_larger, make_pages_world, page_addresses

# The ORM asks as often whatever database answers; that each page's statements are right there is for the pages' own tests.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.long]
BASELINES: Final = Path(__file__).with_name("query_counts.txt")
MOST: Final = 15


def baselines() -> dict[str, int]:
    """The pinned count of each page by its route."""
    lines = [line.split() for line in BASELINES.read_text().splitlines() if line and not line.startswith("#")]
    return {route: int(count) for route, count in lines}


def counts(client, world) -> dict[str, int]:
    """The queries of each page; it is opened twice, so that what is remembered between requests does not count."""
    found = {}
    for route, url in page_addresses(world).items():
        if is_page(client.get(url)):
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            found[route] = len(queries)
    return found


def test_no_page_takes_more_queries_than_its_line_says_nor_more_for_more_rows(client):
    world = make_pages_world()
    client.force_login(make_user("admin"))
    found, pinned = counts(client, world), baselines()
    assert {route: number for route, number in found.items() if route not in pinned} == {}, "pages without a line"
    assert {route: (number, pinned[route]) for route, number in found.items() if number > pinned[route]} == {}
    assert sorted(set(pinned) - set(found)) == [], "lines without a page"
    make_larger(world)
    more = counts(client, world)
    assert {route: (found[route], number) for route, number in more.items() if number > found[route]} == {}


def test_no_page_may_take_more_than_fifteen():
    assert {route: number for route, number in baselines().items() if number > MOST} == {}
