"""The numbers that a log line carries: which request asked for the work that goes on here, and which run it belongs to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_numbers: ContextVar[Mapping[str, str]] = ContextVar("numbers", default={})  # noqa: B039  (nobody writes to it)


@contextmanager
def numbered(**numbers: object) -> Iterator[None]:
    """While the block runs, whatever is logged in it carries these; what is empty is left out. Threads are given a copy."""
    told = {name: str(number) for name, number in numbers.items() if number}
    before = _numbers.set({**_numbers.get(), **told})
    try:
        yield
    finally:
        _numbers.reset(before)


def current_numbers() -> Mapping[str, str]:
    """The numbers that hold here, by name: `request`, `run`."""
    return _numbers.get()
