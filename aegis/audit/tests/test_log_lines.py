"""No text makes two events of one, and a line of a server names the request that it belongs to."""

import json
import logging

import pytest
from django.test import RequestFactory

from aegis.audit.log_lines import JsonLine, OneLine
from aegis.audit.visit import Visit, visiting

PLAIN = OneLine("{levelname} {message}", style="{")


def event(message, *arguments, exc_info=None):
    return logging.LogRecord("aegis", logging.WARNING, __file__, 1, message, arguments, exc_info)


@pytest.mark.parametrize("sign", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1b[2J", "\x85", "\u2028", "\u2029"])
def test_no_text_makes_two_events_of_one(sign):
    forged = event("login of %s", f"x{sign}CRITICAL all is lost")
    for line in (PLAIN.format(forged), JsonLine().format(forged)):
        assert len(line.splitlines()) == 1
        assert "\x1b" not in line
    assert json.loads(JsonLine().format(forged))["message"] == f"login of x{sign}CRITICAL all is lost"


def test_a_line_names_its_request_and_holds_its_traceback():
    visit = Visit.of(RequestFactory().get("/"))
    with pytest.raises(ValueError, match="invalid literal") as caught:
        int("out of range")
    line = event("broken", exc_info=(caught.type, caught.value, caught.tb))
    assert PLAIN.format(line).startswith("WARNING broken\nTraceback")
    with visiting(visit):
        told = json.loads(JsonLine().format(line))
    assert (told["level"], told["logger"], told["message"], told["request"]) == ("WARNING", "aegis", "broken", visit.id)
    assert told["error"].endswith("invalid literal for int() with base 10: 'out of range'")
    assert "request" not in json.loads(JsonLine().format(event("later")))
