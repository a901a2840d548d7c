"""Every door of the access matrix: each route, method, role and owner is asked for real, and answers as it is written.

Whoever knocks leaves what the trail promises: no refusal and no look changes anything, and no change goes untold.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.template.backends.django import Template

from aegis import urls
from tests.access_matrix import FILE, METHODS, doors, listed, routes_of
from tests.access_world import OTHERS, VISITORS, World

WRITE = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "?(\w+)')
TRAIL = "audit_auditlog"
BOOKS = frozenset(
    {
        *(TRAIL, "audit_audithead", "axes_accessattempt", "axes_accessfailurelog"),
        *("django_session", "accounts_browsersession", "accounts_apisession"),
    }
)
"""Tables in which it is noted that somebody was there."""
TELL_THEMSELVES = frozenset({"imports_importrun", "intel_feedscan"})
"""Tables whose rows name who asked for them, and that the trail tells of when they have ended."""

# Who may do what is decided before a database is asked, and the three minutes would be the longest of the second run.
pytestmark = [pytest.mark.one_database, pytest.mark.long]


def taking_turns(number: int) -> tuple[str, ...]:
    """Who knocks at one of many doors alike: the admin at each, and the others by turns, so that each is at every fourth."""
    return VISITORS[0], *VISITORS[1 + number % 4 :: 4]


@pytest.fixture
def world(db: None, caplog, monkeypatch) -> World:
    """One world for all doors: what a visitor changes is undone before the next one knocks.

    A thousand refusals are neither logged nor drawn as pages, which would take longer than all the rest. Who gets a page is
    decided before it is drawn: those whom `drawn_for` names see it, and to the others it is blank.
    """
    caplog.set_level("CRITICAL", "django.request")
    monkeypatch.setattr(urls, "handler403", lambda request, exception: HttpResponse(status=403), raising=False)
    world = World()
    draw = Template.render
    monkeypatch.setattr(Template, "render", lambda *args, **kwargs: draw(*args, **kwargs) if world.draws else "")
    return world


def drawn_for(number: int) -> tuple[str, str]:
    """Who looks at the page behind one of all doors: the admin, and the other roles by turns."""
    return VISITORS[0], VISITORS[1 + number % 5]


@dataclass
class Trace:
    """What one visit wrote: into which tables, each time."""

    tables: list[str] = field(default_factory=list)

    def note(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """Carries out a statement, and remembers where it wrote, if the database let it."""
        done = execute(sql, *rest)
        if found := WRITE.match(sql):
            self.tables.append(found[1])
        return done

    def faults(self, method: str, status: str) -> Iterator[str]:
        """What is not as the trail promises, after an answer."""
        changed, told = {*self.tables} - BOOKS, self.tables.count(TRAIL)
        if changed and (method == "GET" or status >= "400"):
            yield f"{status} changed {', '.join(sorted(changed))}"
        if status == "403" and told != 1:
            yield f"the refusal was told {told} times"
        if changed - TELL_THEMSELVES and status < "400" and not told:
            yield f"{', '.join(sorted(changed))} changed, and nobody was told"


@contextmanager
def undone() -> Iterator[Trace]:
    """What happens in the block is written down, and has not happened."""
    trace = Trace()
    with transaction.atomic():
        with connection.execute_wrapper(trace.note):
            yield trace
        transaction.set_rollback(True)


def answer(world: World, method: str, route: str, visitor: str, whose: str, *, draws: bool = False) -> str:
    """What the world's visitor gets, and nothing has happened; with what is wrong about the traces, if anything is."""
    world.draws = draws
    with undone() as trace:
        given = world.ask(method, route, visitor, whose)
    return "; ".join([given, *trace.faults(method, given)])


def test_every_door_answers_as_written(world, subtests):
    for turn, door in enumerate(doors()):
        for number, route in enumerate(routes_of(door.route)):
            with subtests.test(f"{FILE.name}:{door.entry.number}: {door.method} {route} ({door.whose})"):
                visitors = VISITORS if route == door.route else taking_turns(number)
                drawn = drawn_for(turn + number)
                given = {
                    visitor: answer(world, door.method, route, visitor, door.whose, draws=visitor in drawn)
                    for visitor in visitors
                }
                assert given == {visitor: door.entry.answers[visitor] for visitor in visitors}


def test_method_without_a_line_is_refused(world, subtests):
    for route, methods in listed().items():
        for method in sorted({*METHODS} - methods):
            with subtests.test(f"{method} {route}"):
                assert answer(world, method, route, "admin", OTHERS) == "405"
                assert answer(world, method, route, "anonymous", OTHERS) in {"401", "405", "login"}
