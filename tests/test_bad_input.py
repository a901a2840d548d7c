"""Whatever is sent to whatever writes: it is refused with a problem that names the field, and nothing is stored.

The cases come from the OpenAPI schema: a new route or field is tried from the day that it is described there.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from aegis.audit.models import AuditLog
from coverage.services.techniques import create_technique
from tests.access_matrix import listed
from tests.access_world import BODIES, OTHERS, PARAMETER, World, bare

pytestmark = [pytest.mark.django_db, pytest.mark.long]
PROBLEM: Final = "application/problem+json"
ADMIN: Final = "admin"
DEEP: Final = json.loads("[" * 200 + "]" * 200)
TEXTS: Final = ({"a": 1}, ["a"], DEEP, True, 7, "a\0b", "a\x07b", "\ud800", "a\x9bb", "\x1b[2J")
LINES: Final = ("a\u202eb", "a\r\nb", "a\u2028b")
NEVER: Final[dict[str, tuple[Any, ...]]] = {
    "choice": ({"a": 1}, [[{}]], DEEP, True, 7.5, "a\0b", "a\x07b", "\ud800", "no such"),
    "integer": (-1, 0, 10**30, 2**63, 1.5, float("inf"), "1", "one", "\u0661", True, "a\0b", [1], {"a": 1}),
    "boolean": ("yes", "true", 1, 0, 7, [], {}, "a\0b", "\ud800"),
    "array": ("a", 7, {"a": 1}, True, [None], [[]], ["a\0b"], [{"no such": 1}], [DEEP]),
    "object": ("a", 7, ["a"], {"a": None}, {"a": {}}, {"a\0b": "x"}, {"a": "\ud800"}, {"\ud800": "a"}, {"a\x07": "x"}),
    "date": (
        "0000-01-01",
        "0001-01-01",
        "9999-12-31",
        "10000-01-01",
        "2026-13-01",
        "today",
        7,
        True,
        [],
        "2026-01-02\0",
    ),
    "date-time": (
        *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-02T25:00:00Z"),
        *("2400-01-01T00:00:00Z", "now", 7, True, [], "2026-01-02T03:04:05Z\0"),
    ),
}
"""By what the schema says of a field, values that are none for it. Texts that are no line are bad where a line is due."""

BODIES_OF_NO_USE: Final = (
    *(b"{", b"[]", b"null", b"3", b'"text"', b"\xff\xfe{\x00}\x00", b'{"version": NaN}', b'{"a": "\xed\xa0\x80"}'),
    *(b'{"a": 1, "a": 2}', b"[" * 100_000, b'{"a":' * 100_000, b'{"a": 1} x', b'{"a": 1' + b"0" * 5000 + b"}"),
)


NO_PAGE: Final = re.compile("/api/|/admin/|/accounts/")
NO_TEXT: Final = {"is_active", "on", "query"}
"""Boxes that are ticked or not whatever else they are sent with, and an address, in which signs are written as numbers."""

UNKNOWN: Final = {"no_such": 1, "\ud800": 2}
FILE: Final = SimpleUploadedFile("a.txt", b"seen")
FORMS: Final = {
    "/api/v1/tests/{id}/evidence": {
        "file": ("", "no file"),
        "side": ("green", "a\0b"),
        "caption": ("a\0b", "a\x07b", "a\u202eb", "a\nb", "x" * 256),
        "sha256": ("0" * 63, "g" * 64, "a\0b"),
    },
    "/api/v1/layers": {
        "file": ("", "no file"),
        "name": ("a\0b", "a\x07b", "a\u202eb", "a\nb", "x" * 256),
        "description": ("a\0b", "a\x07b", "x" * 10_001),
        "purpose": ("none", "a\0b"),
        "is_shared": ("perhaps", "a\0b"),
    },
}


class Writes:
    """Every operation of the API that reads a body: its address, a body that is good, and what the schema says of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {world.sessions[ADMIN].tokens['access_token']}"}
        by = world.users[ADMIN]
        self.local = create_technique(by=by, mitre_id="T9100", name="Local", tactics=["execution"]).mitre_id
        self.schema = self.client.get("/api/v1/schema", headers=self.headers).json()

    def __iter__(self) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
        """Method, route, the good body, and the schema of each field by name. Logging in and out have tests of their own."""
        for route, operations in self.schema["paths"].items():
            for method in {"post", "put", "patch"} & {*operations}:
                content = operations[method].get("requestBody", {}).get("content", {})
                if "application/json" in content and "/auth/" not in route:
                    whole = self.resolved(content["application/json"]["schema"])
                    yield method.upper(), route, self.good(method.upper(), route), whole.get("properties", {})

    @property
    def without_a_body(self) -> Iterator[tuple[str, str]]:
        """Method and route of every operation that writes, and reads no body."""
        for route, operations in self.schema["paths"].items():
            for method in {"post", "put", "patch", "delete"} & {*operations}:
                if "requestBody" not in operations[method]:
                    yield method.upper(), route

    def resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        """A part of the schema, with what it refers to in it."""
        found = dict(part)
        for reference in [found.pop("$ref", None), *(one.get("$ref") for one in found.get("allOf", []))]:
            if reference:
                found |= self.resolved(self.schema["components"]["schemas"][reference.rpartition("/")[2]])
        return found

    def path(self, route: str) -> str:
        """The address, of somebody else's row."""
        if route == "/api/v1/techniques/{mitre_id}":
            return f"/api/v1/techniques/{self.local}"
        return PARAMETER.sub("{}", route).format(*self.world.subject(route, ADMIN, OTHERS))

    def good(self, method: str, route: str) -> dict[str, Any]:
        """A body that would be taken."""
        body = BODIES.get(f"{method} {PARAMETER.sub('{}', route)}") or BODIES.get(f"{method} {bare(route)}")
        subject = self.world.subject(route, ADMIN, OTHERS)
        return dict(body(self.world, ADMIN, subject[0] if subject else None)) if body else {}

    def send(self, method: str, route: str, body: bytes, kind: str = "application/json") -> Any:
        """The API's answer, with `recorded`: how many rows it left in the audit trail. All of it is undone."""
        return self.undone(lambda: self.client.generic(method, self.path(route), body, kind, headers=self.headers))

    def undone(self, ask: Callable[[], Any]) -> Any:
        """As `send`, for any request."""
        with transaction.atomic():
            before = AuditLog.objects.count()
            answer = ask()
            answer.recorded = AuditLog.objects.count() - before
            transaction.set_rollback(True)
        return answer


@pytest.fixture
def writes(db: None, caplog) -> Writes:
    caplog.set_level("CRITICAL", "django.request")
    return Writes(World())


def kind_of(field: dict[str, Any]) -> str:
    """Which of the lists above is for a field of this schema."""
    kinds = field.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else {*kinds}
    if {"oneOf", "anyOf", "enum"} & field.keys():
        return "choice"
    found = next((kind for kind in ("integer", "boolean", "array", "object") if kind in kinds), "")
    return found or field.get("format", "text")


def bad_values(writes: Writes, field: dict[str, Any]) -> Iterator[Any]:
    """What a field of this schema cannot hold."""
    kind = kind_of(field)
    if "null" not in str(field).lower():
        yield None
    yield from NEVER.get(kind, TEXTS)
    if kind == "array" and (item := writes.resolved(field["items"])).get("type") != "object":
        yield from ([value] for value in bad_values(writes, item))
    if kind not in NEVER:
        yield "x" * (field["maxLength"] + 1)
        yield from LINES if field["maxLength"] <= 500 else ()


def refused(answer: Any, status: int, named: Iterable[str] = ()) -> None:
    """Fails unless an answer is a problem that names these fields, and nothing was recorded."""
    assert (answer.status_code, answer["Content-Type"], answer.recorded) == (status, PROBLEM, 0), answer.content[:300]
    assert sorted({*named} - answer.json().get("errors", {}).keys()) == [], named


def multipart(body: dict[str, Any]) -> tuple[bytes, str]:
    """A form with files, and what it calls itself."""
    return encode_multipart(BOUNDARY, body), MULTIPART_CONTENT


def rounds(writes: Writes, fields: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Bodies in which every field is bad at once, until each bad value of each field has had its turn."""
    values = {name: [*bad_values(writes, writes.resolved(field))] for name, field in fields.items()}
    for number in range(max(map(len, values.values()), default=0)):
        yield {name: found[number % len(found)] for name, found in values.items()}


def as_json(body: dict[str, Any]) -> bytes:
    """What Python calls infinity is a number too large for it in JSON."""
    return json.dumps(body).replace("Infinity", "1e999").encode()


def test_what_cannot_be_held_is_refused_by_name_wherever_something_is_written(writes, subtests):
    for number, (method, route, good, fields) in enumerate(writes):
        with subtests.test(f"{method} {route}"):
            refuses_bad_json(writes, method, route, good, fields)
            refuses_what_is_no_json(writes, method, route, number)
    for route, values in FORMS.items():
        with subtests.test(f"POST {route}"):
            refuses_bad_forms(writes, route, values)
    writes.client.cookies.load(writes.world.sessions[ADMIN].cookies)
    for route, methods in listed().items():
        if "POST" in methods and not NO_PAGE.match(route):
            with subtests.test(f"POST {route}"):
                takes_no_bad_text(writes, route)


def test_what_is_sent_to_where_no_body_is_read_is_refused_by_name(writes, subtests):
    found = [*writes.without_a_body]
    assert len(found) >= 20
    for method, route in found:
        with subtests.test(f"{method} {route}"):
            refused(writes.send(method, route, b'{"dry_run": true, "id": 7}'), 400, ("dry_run", "id"))
            for text in (b"[]", b"null", b"7", b"{", b'{"a": 1, "a": 2}'):
                refused(writes.send(method, route, text), 400)
            refused(writes.send(method, route, b"wait=true", "application/x-www-form-urlencoded"), 415)
    for body, kind in (
        (b"{}", "application/json"),
        (b"", "application/json"),
        (b"", "application/x-www-form-urlencoded"),
    ):
        assert writes.send("POST", "/api/v1/data-sources/{id}/sync", body, kind).status_code == 202


def refuses_bad_json(writes: Writes, method: str, route: str, good: dict[str, Any], fields: dict[str, Any]) -> None:
    for body in rounds(writes, fields):
        refused(writes.send(method, route, as_json(body)), 400, body)
    refused(writes.send(method, route, as_json(good | UNKNOWN)), 400, ("no_such", "?"))


def refuses_what_is_no_json(writes: Writes, method: str, route: str, number: int) -> None:
    """All routes read with one parser: each is sent every fourth of these, by turns."""
    for text in BODIES_OF_NO_USE[number % 4 :: 4]:
        refused(writes.send(method, route, text), 400)
    refused(writes.send(method, route, b"<a/>", "application/xml"), 415)
    refused(writes.send(method, route, b'{"a"', "application/json; charset=utf-16"), 400)


def refuses_bad_forms(writes: Writes, route: str, values: dict[str, tuple[str, ...]]) -> None:
    for number in range(max(map(len, values.values()))):
        body = {name: found[number % len(found)] for name, found in values.items()}
        refused(writes.send("POST", route, *multipart(body)), 400, body)
    refused(writes.send("POST", route, *multipart({"file": FILE, "no_such": 1})), 400, ["no_such"])
    refused(writes.send("POST", route, b"--x\r\n", "multipart/form-data"), 400)
    refused(writes.send("POST", route, b"\xff", "multipart/form-data; boundary=x"), 400)
    refused(writes.send("POST", route, b"{}"), 415)


def takes_no_bad_text(writes: Writes, route: str) -> None:
    """A page may answer as it likes, but not break, and not write it down."""
    good = writes.good("POST", route)
    for name in good.keys() - NO_TEXT:
        for bad in ("a\0b", "a\x07b", "x" * 100_001, "9" * 30) if isinstance(good[name], str | int) else ():
            answer = writes.undone(lambda: writes.client.post(writes.path(route), good | {name: bad}))  # noqa: B023
            assert answer.status_code < 500, (name, bad[:20])
            assert answer.recorded == 0 or bad == "9" * 30, (name, bad[:20], answer.status_code)
