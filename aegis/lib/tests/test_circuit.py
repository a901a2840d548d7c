"""After so many failures in a row nobody is let through, then one, and with the first answer all."""

from types import SimpleNamespace

import pytest

from aegis.lib import circuit as circuits
from aegis.lib.circuit import Circuit, NotAnswering

AWAY = ConnectionError("no answer")


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(circuits, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def answered(status: int) -> dict:
    return {"ResponseMetadata": {"HTTPStatusCode": status}}


def ended(circuit: Circuit, *statuses: int) -> None:
    """Requests that were answered so, or not at all (0)."""
    for status in statuses:
        circuit.enter()
        circuit.leave(exception=None if status else AWAY, parsed_response=answered(status) if status else None)


def is_closed(circuit: Circuit) -> bool:
    try:
        circuit.enter()
    except NotAnswering as refusal:
        circuit.leave(exception=refusal)
        return False
    return True


@pytest.mark.parametrize("statuses", [(0, 0, 0), (500, 503, 0)], ids=["silence", "faults"])
def test_failures_in_a_row_open_it(statuses):
    circuit = Circuit(failures=3, seconds=60)
    ended(circuit, *statuses)
    assert [is_closed(circuit) for _ in range(3)] == [False] * 3


@pytest.mark.parametrize("statuses", [(0, 0, 200, 0, 0), (500, 403, 500, 404, 0, 0)], ids=["answers", "refusals"])
def test_an_answer_between_them_begins_anew(statuses):
    circuit = Circuit(failures=3, seconds=60)
    ended(circuit, *statuses)
    assert is_closed(circuit)


def test_after_the_rest_one_asks_for_all(clock):
    circuit = Circuit(failures=1, seconds=60)
    ended(circuit, 0)
    clock.now += 60
    assert [is_closed(circuit), is_closed(circuit)] == [True, False]
    circuit.leave(exception=None, parsed_response=answered(200))
    assert [is_closed(circuit), is_closed(circuit)] == [True, True]


def test_if_that_one_fails_the_rest_begins_anew(clock):
    circuit = Circuit(failures=1, seconds=60)
    ended(circuit, 0)
    clock.now += 60
    ended(circuit, 0)
    assert not is_closed(circuit)
    clock.now += 60
    assert is_closed(circuit)
