"""No request body is taken that is longer than any file may be: refused before the first byte of it is read."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from aegis.lib.parsers import TooLarge

SLACK: Final = 64 * 1024
"""Bytes of a body beside the file: boundaries, part headers and the other fields."""
BUNDLES: Final = "/sources/bundle"
"""Where files go that may be larger than any evidence."""


class BodyLimitMiddleware:
    """413 for a page's form that announces more than evidence may have, or than a form, from somebody who is not logged in.

    The API sees to its own bodies. It stands behind the middleware that knows who asks.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        longest = _longest_upload(request)
        limit = longest + SLACK if request.user.is_authenticated else settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        if request.path.startswith("/api/") or not announced.isdecimal() or int(announced) <= limit:
            return self.respond(request)
        words = _refusal(longest)
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(words, status=413, content_type="text/plain")
        return render(request, "413.html", {"words": words, "code": "413"}, status=413)


def require_short_body(request: Any, limit: int) -> None:
    """Raises TooLarge if the announced body is longer than a file may be. A server reads no more than was announced."""
    if is_too_long(request, limit):
        raise TooLarge(_refusal(limit))


def is_too_long(request: Any, limit: int) -> bool:
    """Whether the announced body is longer than a file of `limit` bytes makes it; what is no number is."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return not text.isdecimal() or int(text) > limit + SLACK


def least_upload(request: Any) -> int:
    """Bytes that the files of the announced body have at least: all of it but what may stand beside them."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    return max(0, int(text) - SLACK) if text.isdecimal() else 0


def _longest_upload(request: HttpRequest) -> int:
    """Bytes of the largest file that the address takes."""
    longest: int = settings.BUNDLE_MAX_BYTES if request.path == BUNDLES else settings.EVIDENCE_MAX_BYTES
    return longest


def _refusal(limit: int) -> str:
    return f"An upload may have {limit // (1024 * 1024)} MB in all: send several files one by one."
