"""Every door of the access matrix: each route, method, role and owner is asked for real, and answers as it is written."""

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.template.backends.django import Template

from aegis import urls
from tests.access_matrix import FILE, METHODS, doors, listed, routes_of
from tests.access_world import OTHERS, VISITORS, World

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


def answer(world: World, method: str, route: str, visitor: str, whose: str, *, draws: bool = False) -> str:
    """What the world's visitor gets, and nothing has happened."""
    world.draws = draws
    with transaction.atomic():
        given = world.ask(method, route, visitor, whose)
        transaction.set_rollback(True)
    return given


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
