"""Requests are UTF-8, whatever charset they claim."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

CHARSET: Final = re.compile(r";\s*charset\s*=\s*(\"[^\"]*\"|[^;]*)", re.IGNORECASE)

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def utf8_only(application: Application) -> Application:
    """The WSGI application, with the charset struck out of each request's Content-Type.

    Django decodes the query string by it while it makes the request, before anything can catch an error: `charset=hex` would be
    a crash of the server's worker, open to everybody.
    """

    def respond(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return respond
