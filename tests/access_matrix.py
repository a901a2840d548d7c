"""Reads access_matrix.txt, and knows which routes of the site each of its lines means."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.urls import get_resolver

from aegis.accounts.access import routes
from tests.access_world import OTHERS, OWN, SHARED, VISITORS

FILE = Path(__file__).with_name("access_matrix.txt")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
GROUPS = {
    "any": ("admin", "red_tech", "blue_tech", "red_lead", "blue_lead", "viewer"),
    "techs": ("red_tech", "blue_tech"),
    "leads": ("red_lead", "blue_lead"),
    "nobody": ("anonymous", "inactive"),
}
LINE = re.compile(r"(?P<methods>[A-Z,]+) +(?P<route>/\S*)(?: +\((?P<whose>[a-z', ]+)\))? +(?P<answers>[a-z_]+=.*)")


@dataclass(frozen=True)
class Entry:
    """One line of the matrix: what each visitor gets."""

    number: int
    methods: tuple[str, ...]
    route: str
    whose: tuple[str, ...]
    answers: dict[str, str]


@dataclass(frozen=True)
class Door:
    """One method at one address, for an object that is one's own or not."""

    method: str
    route: str
    whose: str
    entry: Entry

    def __str__(self) -> str:
        return f"{self.method} {self.route} ({self.whose})"


@cache
def matrix() -> list[Entry]:
    """The lines of the file. Raises AssertionError for one that cannot be read, or that leaves a visitor out."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [_entry(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]


def _entry(number: int, line: str) -> Entry:
    found = LINE.fullmatch(line)
    assert found, f"{FILE.name}:{number}: write METHOD /route visitor=answer ..."
    answers: dict[str, str] = {}
    for term in found["answers"].split():
        name, _, answer = term.partition("=")
        answers |= dict.fromkeys(GROUPS.get(name, (name,)), answer)
    methods = tuple(found["methods"].split(","))
    whose = tuple((found["whose"] or OTHERS).split(", "))
    assert {*methods} <= {*METHODS}, f"{FILE.name}:{number}: a method that there is not"
    assert {*whose} <= {OWN, SHARED, OTHERS}, f"{FILE.name}:{number}: write own, shared or other's"
    assert {*answers} == {*VISITORS}, (
        f"{FILE.name}:{number}: { ({*answers} ^ {*VISITORS}) } unknown or without an answer"
    )
    return Entry(number, methods, found["route"], whose, answers)


@cache
def real_routes() -> tuple[str, ...]:
    """Every route of the site as the matrix writes it: /api/v1/tests/{id}."""
    return tuple(dict.fromkeys(_readable(pattern) for pattern, _ in routes(get_resolver())))


def _readable(pattern: str) -> str:
    pattern = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", pattern.replace("/?$", ""))
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern).replace("^", "").replace("$", "").replace("\\.", ".")


@cache
def meant() -> dict[str, list[str]]:
    """The real routes that each route of the matrix means; of several that fit, the one with the fewest * has it."""
    fitting = sorted({entry.route for entry in matrix()}, key=lambda written: written.count("*"))
    patterns = {written: re.compile(re.escape(written).replace(r"\*", "[^/{}]+")) for written in fitting}
    found: dict[str, list[str]] = {written: [] for written in fitting}
    for route in real_routes():
        if written := next((written for written in fitting if patterns[written].fullmatch(route)), None):
            found[written].append(route)
    return found


def routes_of(written: str) -> list[str]:
    """The real routes that a route of the matrix means."""
    return meant()[written]


def listed() -> dict[str, set[str]]:
    """The methods that the matrix lists of each real route."""
    methods: dict[str, set[str]] = {}
    for entry in matrix():
        for route in routes_of(entry.route):
            methods.setdefault(route, set()).update(entry.methods)
    return methods


def doors() -> Iterator[Door]:
    """Every line of the matrix, one method and one owner at a time."""
    for entry in matrix():
        for method in entry.methods:
            yield from (Door(method, entry.route, whose, entry) for whose in entry.whose)
