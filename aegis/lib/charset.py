"""Requests are UTF-8, whatever charset they claim.

Django decodes the query string by the charset of the Content-Type while it makes the request, before anything can catch an
error: `charset=hex` would be a crash of the server's worker, open to everybody.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

CHARSET: Final = re.compile(r";\s*charset\s*=\s*(\"[^\"]*\"|[^;]*)", re.IGNORECASE)

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
AsyncApplication = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


def utf8_only(application: Application) -> Application:
    """The WSGI application, with the charset struck out of each request's Content-Type."""

    def respond(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = CHARSET.sub("", environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return respond


def utf8_only_async(application: AsyncApplication) -> AsyncApplication:
    """The ASGI application, with the charset struck out of each request's Content-Type."""

    async def respond(scope: dict[str, Any], receive: Any, send: Any) -> None:
        headers = [(name, _without_charset(name, value)) for name, value in scope.get("headers", ())]
        await application(scope | {"headers": headers}, receive, send)

    return respond


def _without_charset(name: bytes, value: bytes) -> bytes:
    if name.lower() != b"content-type":
        return value
    return CHARSET.sub("", value.decode("latin-1")).encode("latin-1")
