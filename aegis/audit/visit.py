"""The request that is being answered, for whatever is recorded while it is: services need not hand it down."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.http import HttpRequest

from aegis.lib.addresses import client_address


@dataclass(frozen=True, slots=True)
class Visit:
    """A request: its number, which the answer carries as X-Request-ID, and the address that it came from."""

    request: HttpRequest
    id: str
    ip: str

    @classmethod
    def of(cls, request: HttpRequest) -> "Visit":
        """A visit with a new number. A number from the client would be the client's to choose."""
        return cls(request, uuid4().hex, client_address(request) or "")

    @property
    def user(self) -> Any:
        """Who is logged in, by session or token; None for nobody."""
        user = getattr(self.request, "user", None)
        return user if user is not None and user.is_authenticated else None


_current: ContextVar[Visit | None] = ContextVar("visit", default=None)


@contextmanager
def visiting(visit: Visit) -> Iterator[None]:
    """While the block runs, `visit` is the current one."""
    before = _current.set(visit)
    try:
        yield
    finally:
        _current.reset(before)


def current_visit(request: Any = None) -> Visit | None:
    """The visit of `request`, or the current one; None outside of requests (commands, workers)."""
    current = _current.get()
    if request is None:
        return current
    plain: HttpRequest = getattr(request, "_request", request)
    return current if current is not None and current.request is plain else Visit.of(plain)
