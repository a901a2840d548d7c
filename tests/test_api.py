"""What holds for every endpoint of the API alike: addresses, refusals, pages, order, and the number of queries."""

import re
from itertools import product

import pytest
from django.db import OperationalError, connection
from django.db.backends.utils import CursorWrapper
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from rest_framework.test import APIClient

from aegis.accounts.access import required_action
from aegis.accounts.tests.factories import bearer, make_user
from aegis.api import v1
from catalog.tests.factories import make_rule, make_technique, make_template
from coverage.api import metrics
from tests.api_world import FOR_ADMINS, LISTS, MOVES, OTHERWISE, READS, ROUTES, address, make_world, over

PROBLEM = "application/problem+json"
GROUP = re.compile(r"\(\?P<(\w+)>.*\)(?=/|$)")
METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")
ODD_TEXTS = ("%00", "a%00b", "%ff", "%ED%A0%80", "%F0%9F%92%A9", "1" + "0" * 30, "x" * 5000, "%27%20OR%201=1--")
ODD_NUMBERS = (
    "-1",
    "0",
    "1e3",
    "1e999",
    "NaN",
    "null",
    "true",
    "%D9%A1",
    "9223372036854775808",
    "..%2fpasswd",
    "%0a",
    "[]",
)


@pytest.fixture
def world(db):
    return make_world()


def refused(response, status):
    """The problem that a response is; fails if it is anything else."""
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == PROBLEM
    problem = response.json()
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["detail"]
    return problem


def reader(route):
    """A client that may read the route."""
    return bearer(make_user("admin") if route in FOR_ADMINS else None)


def written(route):
    """Methods that change something at a route."""
    view = resolve(address(route, 1)).func.cls
    return {
        method.upper()
        for method in {"post", "put", "patch", "delete"} & {*view.http_method_names}
        if hasattr(view, method)
    }


def test_this_file_knows_every_route():
    ours = {GROUP.sub(r"{\1}", str(pattern.pattern).removeprefix("^").removesuffix("/?$")) for pattern in v1}
    assert ours == {*ROUTES, "docs"}


@pytest.mark.parametrize("method", METHODS)
def test_an_address_answers_the_same_with_a_trailing_slash(world, method):
    client = bearer()
    answers = {}
    for route, path in world.items():
        if route == "auth/logout":
            continue
        ours, slashed = (client.generic(method.upper(), path + end) for end in ("", "/"))
        answers[route] = (ours.status_code, ours["Content-Type"]) == (slashed.status_code, slashed["Content-Type"])
        assert ours.status_code < 500
        assert not 300 <= ours.status_code < 400
    assert set(answers.values()) == {True}


@pytest.mark.parametrize("role", ["admin", "red_tech", "blue_tech", "red_lead", "blue_lead", "viewer"])
def test_every_role_reads_everything(world, role):
    client = bearer(make_user(role))
    told = dict.fromkeys(READS, 200) | OTHERWISE | dict.fromkeys(FOR_ADMINS, 200 if role == "admin" else 403)
    assert {route: client.get(world[route]).status_code for route in READS} == told


@over(READS)
def test_nobody_reads_without_a_login(world, route):
    response = APIClient().get(world[route])
    refused(response, 401)
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@over(READS)
def test_what_reads_refuses_to_write_but_in_its_own_ways(world, route):
    for method in {"POST", "PUT", "PATCH", "DELETE"} - written(route):
        response = bearer(make_user("admin")).generic(method, world[route], "{}", content_type="application/json")
        refused(response, 405)
        assert {*response["Allow"].split(", ")} == {"GET", "HEAD", "OPTIONS"} | written(route)


@over(MOVES)
def test_what_changes_something_is_not_read(world, route):
    refused(bearer(make_user("admin")).get(world[route]), 405)
    assert written(route) in ({"POST"}, {"PATCH"})


@over(MOVES)
def test_nobody_changes_anything_without_a_login(world, route):
    for method in written(route):
        refused(APIClient().generic(method, world[route], "{}", content_type="application/json"), 401)


@over([route for route in MOVES if "{" in route])
def test_a_row_that_is_not_there_is_not_changed(world, route):
    client = bearer(make_user("admin"))
    form = "multipart/form-data; boundary=x" if route.endswith("evidence") else "application/json"
    for method, missing in product(written(route), ("999999999999999999", "0", "9" * 23, "%00", "%D9%A1")):
        refused(client.generic(method, address(route, missing), "{}", content_type=form), 404)


def test_a_session_reads_too(client, world):
    client.force_login(make_user())
    assert client.get("/api/v1/auth/me", HTTP_ACCEPT="application/json").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/api/v1/nothing", "/api/v1/", "/api/v2/techniques", "/api/", "/api/v1/test-templates/abc", "/api/v1/a%0ab"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_an_unknown_address_is_a_problem_of_its_own(client, db, path, method):
    refused(client.generic(method, path), 404)


@over([route for route in READS if "{" in route])
def test_a_row_that_is_not_there_is_not_found(world, route):
    for missing in ("999999999999999999", "T9998", "0", "99999999999999999999999", "no-such", "%00", "%D9%A1"):
        refused(reader(route).get(address(route, missing)), 404)


@over(LISTS)
def test_a_parameter_that_nobody_knows_is_refused_by_name(world, route):
    problem = refused(reader(route).get(world[route], {"pge": "2"}), 400)
    assert list(problem["errors"]) == ["pge"]
    assert "There is no parameter `pge` here" in problem["errors"]["pge"][0]


@over(LISTS)
def test_a_parameter_given_twice_is_refused(world, route):
    problem = refused(reader(route).get(f"{world[route]}?page=1&page=2"), 400)
    assert problem["errors"] == {"page": ["Give it once."]}


@over(LISTS)
def test_a_list_comes_in_pages(world, route):
    client = reader(route)
    whole = client.get(world[route]).json()
    assert list(whole) == ["count", "next", "previous", "results"]
    assert whole["count"] == len(whole["results"]) >= 1
    one = client.get(world[route], {"page_size": 1}).json()
    assert one["count"] == whole["count"]
    assert one["results"] == whole["results"][:1]
    assert client.get(world[route], {"page_size": 500}).json()["results"] == whole["results"]


@pytest.mark.parametrize("page_size", ["0", "-1", "501", "1000000000", "ten", "1.5", "", "%00", "١"])
def test_a_page_size_that_there_is_not_is_refused(world, page_size):
    problem = refused(bearer().get(world["techniques"], {"page_size": page_size}), 400)
    assert problem["errors"] == {"page_size": ["Write a whole number from 1 to 500."]}


@pytest.mark.parametrize(
    ("page", "status"),
    [("2", 404), ("1000000000000000000", 404), ("9" * 5000, 404), ("0", 400), ("-1", 400), ("last", 400), ("", 400)],
)
def test_a_page_that_there_is_not_is_refused(world, page, status):
    refused(bearer().get(world["detection-rules"], {"page": page}), status)


def test_lists_order_by_the_fields_that_they_name(world):
    client = bearer()
    names = [row["mitre_id"] for row in client.get(world["techniques"], {"ordering": "-mitre_id"}).json()["results"]]
    assert names == ["T1059.001", "T1059"]
    controls = client.get(world["compliance/controls"], {"ordering": "-control_id,id"}).json()["results"]
    assert [row["id"] for row in controls] == sorted((row["id"] for row in controls), reverse=True)


@pytest.mark.parametrize("ordering", ["password", "source__path", "?", "-", "name,", "name;", "pk", "--name", "%00"])
def test_lists_refuse_any_other_order(world, ordering):
    problem = refused(bearer().get(world["techniques"], {"ordering": ordering}), 400)
    assert list(problem["errors"]) == ["ordering"]


@pytest.mark.long
@over(LISTS)
def test_odd_texts_never_break_a_filter(world, route):
    client = reader(route)
    filterset = getattr(resolve(world[route]).func.cls, "filterset_class", None)
    for name in filterset.base_filters if filterset else ["format"]:
        for value in ODD_TEXTS:
            response = client.get(f"{world[route]}?{name}={value}")
            assert response.status_code in {200, 400, 404}, (name, value, response.content[:200])


@pytest.mark.parametrize("name", ["page", "page_size", "ordering", "format", "is_subtechnique", "tactic"])
def test_odd_values_never_break_a_list(world, name):
    client = bearer()
    for value in ODD_TEXTS + ODD_NUMBERS:
        assert client.get(f"{world['techniques']}?{name}={value}").status_code in {200, 400, 404}, value


@over([route for route in READS if "{" in route])
def test_odd_names_never_break_a_path(world, route):
    client = reader(route)
    for value in ODD_TEXTS + ODD_NUMBERS:
        path = address(route, value)
        assert client.get(path).status_code in {200, 404}, path


def test_what_can_not_be_answered_in_the_wanted_form_is_refused(world):
    refused(bearer().get(world["techniques"], HTTP_ACCEPT="application/xml"), 406)
    refused(bearer().get(world["techniques"], {"format": "xml"}), 404)


def test_html_is_for_people_who_are_logged_in_to_the_site(client, world):
    refused(APIClient().get(world["techniques"], HTTP_ACCEPT="text/html,*/*"), 401)
    refused(bearer().get(world["techniques"], HTTP_ACCEPT="text/html"), 406)
    client.force_login(make_user())
    assert client.get(world["techniques"], HTTP_ACCEPT="text/html")["Content-Type"].startswith("text/html")


MOST_QUERIES = {
    "compliance/controls": 7,
    "compliance/conflicts": 9,
    "compliance/frameworks": 9,
    "threat-actors": 7,
}
"""Those that ask how techniques stand beside their rows."""


def test_a_list_costs_a_fixed_number_of_queries(world):
    client = bearer(make_user("admin"))
    few = {route: _queries(client, world[route]) for route in LISTS}
    make_world_larger()
    assert {route: _queries(client, world[route]) for route in LISTS} == few
    assert {route: number for route, number in few.items() if number > MOST_QUERIES.get(route, 6)} == {}


def make_world_larger():
    for number in range(5):
        technique = make_technique(f"T20{number:02}", tactics=("execution", "persistence"))
        make_template(technique.mitre_id)
        make_rule(technique.mitre_id, "T1059", "T9999")


def _queries(client, path):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path, {"page_size": 500}).status_code == 200
    return len(queries)


def test_a_fault_of_ours_is_logged_and_tells_nothing(world, monkeypatch, caplog):
    def broken():
        raise RuntimeError("the secret reason")

    monkeypatch.setattr(metrics, "coverage_summary", broken)
    problem = refused(bearer().get(world["metrics/summary"]), 500)
    assert "secret" not in str(problem)
    assert "the secret reason" in caplog.text


@pytest.mark.parametrize("path", ["/", "/matrix", "/sources", "/api/v1/techniques", "/api/v1/auth/me", "/admin/"])
def test_who_asks_while_the_database_is_away_is_told_when_to_ask_again(client, world, monkeypatch, caplog, path):
    client.force_login(make_user("admin"))
    client.raise_request_exception = False

    def away(*args, **kwargs):
        raise OperationalError("the connection is closed")

    with monkeypatch.context() as patched:
        patched.setattr(CursorWrapper, "execute", away)
        answer = client.get(path, headers={"Accept": "application/json" if "/api/" in path else "text/html"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert b"The database does not answer" in answer.content
    assert b"connection is closed" not in answer.content
    assert "the connection is closed" in caplog.text
    if "/api/" in path:
        refused(answer, 503)
    assert client.get(path).status_code == 200


def test_a_fault_of_ours_is_raised_in_tests_and_trackers(world, monkeypatch):
    monkeypatch.setattr(metrics.Standing, "now", lambda: 1 / 0)
    client = bearer()
    client.raise_request_exception = True
    with pytest.raises(ZeroDivisionError):
        client.get(world["metrics/by-tactic"])


def test_every_view_names_an_action_or_is_public():
    closed = {"login", "refresh"}
    assert {pattern.name for pattern in v1 if required_action(pattern.callback) is None} == closed
