"""No request body is taken that is longer than any file may be: refused before the first byte of it is read."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

SLACK: Final = 64 * 1024
"""Bytes of a body beside the file: boundaries, part headers and the other fields."""


class BodyLimitMiddleware:
    """413 for a page's form that announces more than evidence may have, or than a form, from somebody who is not logged in.

    The API sees to its own bodies. It stands behind the middleware that knows who asks.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if request.path.startswith("/api/") or not announced.isdecimal() or int(announced) <= _limit(request):
            return self.respond(request)
        words = f"An upload may have {settings.EVIDENCE_MAX_BYTES // (1024 * 1024)} MB in all: send several files one by one."
        if request.headers.get("HX-Request") == "true":
            return HttpResponse(words, status=413, content_type="text/plain")
        return render(request, "413.html", {"words": words}, status=413)


def _limit(request: HttpRequest) -> int:
    logged_in: int = settings.EVIDENCE_MAX_BYTES + SLACK
    return logged_in if request.user.is_authenticated else settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
