"""Asking for the password again before an admin changes who may do what: a browser left open is not enough for that."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from aegis.accounts.sessions import is_confirmed

Arguments = ParamSpec("Arguments")
View = Callable[Concatenate[HttpRequest, Arguments], HttpResponse]


def recently_confirmed(view: View[Arguments]) -> View[Arguments]:
    """Decorator: a write (POST) needs a password given in the last `CONFIRMED_FOR`; else 403 and the way to give it."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        if request.method == "POST" and not is_confirmed(request):
            return render(request, "accounts/stale.html", {"back": page_before(request)}, status=HTTPStatus.FORBIDDEN)
        return view(request, *args, **kwargs)

    return guarded


def page_before(request: HttpRequest) -> str:
    """The path of the page whose form was sent; the home page if the browser does not say, or if it is not ours."""
    page = urlsplit(request.headers.get("Referer", ""))
    return page.path if page.netloc == request.get_host() else "/"
