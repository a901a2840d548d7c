"""Headers of every response that Django answers: never kept by a cache, never used by another site."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponseBase

HEADERS: Final = {
    # Every page says what a team can and cannot see; even the login page holds a token. Static files do not pass here.
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), clipboard-read=()",
    "X-Robots-Tag": "noindex",
}


class HeadersMiddleware:
    """Sets `HEADERS`, over what a view may have set."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.respond(request)
        for name, value in HEADERS.items():
            response[name] = value
        return response
