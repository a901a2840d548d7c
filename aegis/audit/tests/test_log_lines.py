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


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("Not Found: /accounts/link/s3cret-Link_1", "Not Found: /accounts/link/..."),
        (
            "Forbidden: /evidence/0b6f1c9e-1111-4222-8333-444455556666/s3cret:1:x",
            "Forbidden: /evidence/0b6f1c9e-1111-4222-8333-444455556666/...",
        ),
        ("GET https://s3/ev/1?X-Amz-Signature=s3cret&x=1", "GET https://s3/ev/1?X-Amz-Signature=...&x=1"),
        ("sent 'Authorization: Bearer s3cret.a.b'", "sent 'Authorization: Bearer ...'"),
        ("Not Found: /evidence", "Not Found: /evidence"),
    ],
    ids=["one-time link", "evidence ticket", "signed address", "token", "nothing to hide"],
)
def test_what_opens_a_door_is_in_no_line(message, kept):
    assert PLAIN.format(event(message)) == f"WARNING {kept}"
    assert json.loads(JsonLine().format(event(message)))["message"] == kept
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError(message)
    failed = event("failed", exc_info=(caught.type, caught.value, caught.tb))
    for line in (PLAIN.format(failed), json.loads(JsonLine().format(failed))["error"]):
        assert line.splitlines()[-1] == f"RuntimeError: {kept}"


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
