"""What no database can hold is the sender's mistake, wherever it comes to light: 400, never 500."""

import logging
from collections.abc import Callable
from typing import Final

from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.defaults import bad_request

log = logging.getLogger(__name__)
UNSTORABLE: Final = (DataError, OverflowError, UnicodeEncodeError)
"""Of PostgreSQL for a NUL or a number without end, of SQLite for such a number, of both for half a character."""


class UnstorableMiddleware:
    """400 for a page whose view looked up or stored such a value. The API tells its own problems."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.respond(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page that says so; None for any other error."""
        if not isinstance(error, UNSTORABLE):
            return None
        log.warning("%s was sent what cannot be stored or looked up", request.path, exc_info=error)
        return bad_request(request, error)
