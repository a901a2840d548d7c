"""The OpenAPI schema: valid, complete, for users only, and true: the endpoints answer as it says."""

import json
import re
from collections import Counter
from functools import cache

import jsonschema
import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from aegis.accounts.tests.factories import PASSWORD, bearer, make_user
from intel.models import Feed
from tests.api_world import FOR_ADMINS, LISTS, OTHERWISE, READS, make_world, over

# What the schema says depends on no database.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
OPERATIONS = [route for route in READS if route != "schema"]


@cache
def schema_once():
    return bearer().get("/api/v1/schema").json()


@pytest.fixture
def schema(db):
    """The same for every test: it depends on no row."""
    return schema_once()


@pytest.fixture
def world():
    return make_world()


def described(schema, route, method="get"):
    return schema["paths"]["/api/v1/" + plain(route)][method]


def plain(route):
    """A route as the schema writes it."""
    return route.replace("\\", "")


def reader(route):
    """A client that may read the route."""
    return bearer(make_user("admin") if route in FOR_ADMINS else None)


def holds(schema, part, value):
    """Fails unless `value` is what `part` of the schema describes."""
    validator = jsonschema.Draft202012Validator
    validator({**part, "components": schema["components"]}, format_checker=validator.FORMAT_CHECKER).validate(value)


def test_the_schema_is_made_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_the_schema_lists_every_endpoint_once(schema):
    paths = [path.removeprefix("/api/v1/") for path in schema["paths"]]
    assert {*map(plain, OPERATIONS), "auth/login", "auth/refresh", "auth/logout"} <= set(paths)
    assert [path for path in paths if path.endswith("/")] == []


def test_the_schema_comes_as_yaml_too():
    response = bearer().get("/api/v1/schema", HTTP_ACCEPT="application/vnd.oai.openapi")
    assert response.content.startswith(b"openapi: 3.1.0\n")


@over([route for route in OPERATIONS if route not in OTHERWISE])
def test_an_answer_is_what_the_schema_says(world, route):
    schema = schema_once()
    described_answer = described(schema, route)["responses"]["200"]["content"]["application/json"]["schema"]
    holds(schema, described_answer, json.loads(reader(route).get(world[route]).getvalue()))


@pytest.mark.parametrize("route", ["users", "feeds"])
def test_a_text_that_its_row_leaves_empty_is_what_the_schema_says(schema, route):
    make_user(email="")
    Feed.objects.create(slug="", name="Advisories", url="https://example.org/a.xml")
    answer = bearer(make_user("admin", email="")).get(f"/api/v1/{route}").json()
    assert "" in [value for row in answer["results"] for value in (row.get("slug"), row.get("email"))]
    content = described(schema, route)["responses"]["200"]["content"]["application/json"]
    holds(schema, content["schema"], answer)


@over(OPERATIONS)
def test_a_refusal_is_what_the_schema_says(world, route):
    schema = schema_once()
    content = described(schema, route)["responses"]["default"]["content"]["application/problem+json"]
    for answer in (APIClient().get(world[route]), bearer().post(world[route])):
        holds(schema, content["schema"], answer.json())


def test_tokens_are_what_the_schema_says(schema):
    make_user(username="maria")
    answer = APIClient().post("/api/v1/auth/login", {"username": "maria", "password": PASSWORD}, format="json")
    content = described(schema, "auth/login", "post")["responses"]["200"]["content"]["application/json"]
    holds(schema, content["schema"], answer.json())


def bodies(operation):
    """Every body that an operation takes or gives, by what it is called in a complaint."""
    sent = operation.get("requestBody", {}).get("content", {})
    yield from ((f"the body as {kind}", content) for kind, content in sent.items())
    for status, answer in operation["responses"].items():
        yield from ((f"the answer {status} as {kind}", content) for kind, content in answer.get("content", {}).items())


def operations_of(schema):
    """(what it is called, the operation) of every method at every address."""
    for path, methods in schema["paths"].items():
        yield from ((f"{method.upper()} {path}", operation) for method, operation in methods.items())


def is_shown(what, content):
    """Whether a body has an example. A file of bytes says nothing to a reader."""
    return bool(content.get("examples")) or ("octet-stream" in what and content["schema"].get("format") == "binary")


def test_every_operation_says_what_it_does_and_shows_every_body(schema):
    lacking = []
    for name, operation in operations_of(schema):
        lacking += [f"{name}: {field}" for field in ("summary", "description") if not operation.get(field)]
        lacking += [
            f"{name}: an example of {what}" for what, content in bodies(operation) if not is_shown(what, content)
        ]
    assert lacking == []


def test_no_two_operations_have_one_summary_or_one_name(schema):
    for field in ("summary", "operationId"):
        said = Counter(operation[field] for _, operation in operations_of(schema))
        assert [text for text, number in said.items() if number > 1] == []
    assert [text for _, one in operations_of(schema) if len(text := one["summary"]) > 120] == []


def test_every_example_is_what_the_schema_says(schema):
    for _, operation in operations_of(schema):
        for what, content in bodies(operation):
            if "json" in what:
                for example in content["examples"].values():
                    holds(schema, content["schema"], example["value"])


@over([route for route in OPERATIONS if "{" not in route])
def test_a_filter_that_may_be_empty_asks_for_nothing(world, route):
    parameters = described(schema_once(), route).get("parameters", ())
    empty = {one["name"]: "" for one in parameters if one.get("allowEmptyValue")}
    client = bearer()
    asked, plain = (client.get(world[route], query).json() for query in (empty, {}))
    if isinstance(plain, dict):
        asked, plain = asked | {"as_of": None}, plain | {"as_of": None}
    assert asked == plain


def values_of(parameter):
    """Values that the schema allows for a parameter, as they stand in an address."""
    kind = parameter["schema"]
    if "enum" in kind:
        return st.sampled_from(kind["enum"])
    if kind["type"] == "boolean":
        return st.sampled_from(["true", "false"])
    if kind["type"] == "integer":
        return st.integers(kind.get("minimum", 1), kind.get("maximum", 10**30)).map(str)
    if kind.get("format") == "date":
        return st.dates().map(str)
    if parameter["name"] == "ordering":
        return st.from_regex(re.compile(kind["pattern"], re.ASCII), fullmatch=True).filter(lambda text: len(text) < 200)
    printable = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    return st.text(printable, max_size=kind["maxLength"])


@over(LISTS)
def test_whatever_the_schema_allows_is_answered(world, route):
    schema = schema_once()
    client = reader(route)
    parameters = [one for one in described(schema, route)["parameters"] if one["in"] == "query"]
    queries = st.fixed_dictionaries({}, optional={one["name"]: values_of(one) for one in parameters})

    @settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(queries)
    def answered(query):
        response = client.get(world[route], query)
        beyond_the_end = response.status_code == 404 and int(query.get("page", 1)) > 1
        assert response.status_code == 200 or beyond_the_end, (query, response.content[:300])

    answered()


@over(LISTS)
def test_whatever_the_schema_does_not_allow_is_refused_or_answered(world, route):
    client = reader(route)
    names = st.sampled_from(
        ["page", "page_size", "ordering", "search", "technique", "tactic", "status", "source", "no such"]
    )

    @settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(st.dictionaries(names, st.text(st.characters(exclude_categories=["Cs"]), max_size=300), max_size=4))
    def answered(query):
        assert client.get(world[route], query).status_code in {200, 400, 404}, query

    answered()
