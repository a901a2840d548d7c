"""The access matrix as a table: a line for every route, a route for every line. test_access_doors.py holds it to the site."""

import pytest

from tests.access_matrix import doors, listed, matrix, real_routes, routes_of
from tests.access_world import OTHERS, OWN, SHARED, bare


def test_every_route_has_a_line():
    assert [route for route in real_routes() if route not in listed()] == []


def test_every_line_has_a_route():
    assert [f"{entry.number}: {entry.route}" for entry in matrix() if not routes_of(entry.route)] == []


def test_no_door_has_two_answers():
    seen = [str(door) for door in doors()]
    assert sorted({door for door in seen if seen.count(door) > 1}) == []


@pytest.mark.parametrize(
    ("start", "wanted"),
    [
        ("/tests/{}", {OWN, SHARED, OTHERS}),
        ("/evidence/{}", {OWN, SHARED, OTHERS}),
        ("/campaigns/{}", {OWN, OTHERS}),
        ("/users/{}", {OWN, OTHERS}),
        ("/layers/{}", {OWN, SHARED, OTHERS}),
        ("/matrix/views/{}", {OWN, OTHERS}),
        ("/accounts/sessions/{}", {OWN, OTHERS}),
        ("/accounts/api-sessions/{}", {OWN, OTHERS}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_it_matters_whose_it_is_each_case_has_a_line(start, wanted):
    asked: dict[tuple[str, str], set[str]] = {}
    for door in doors():
        if f"{bare(door.route)}/".startswith(f"{start}/"):
            asked.setdefault((door.method, door.route), set()).add(door.whose)
    assert asked
    assert {door: wanted - owners for door, owners in asked.items() if wanted - owners} == {}
