"""A site of a few views, each guarded in another way, that the tests of the policy put in place of the real one."""

from django.contrib import admin
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import RequestContext, Template
from django.urls import include, path

from aegis.accounts.access import public, require_action


def forgotten(request: HttpRequest) -> HttpResponse:
    """A view whose author forgot to say who may see it."""
    return HttpResponse("secret")


@require_action("catalog.read")
def read(request: HttpRequest) -> HttpResponse:
    """For everybody who is logged in."""
    return HttpResponse("catalogue")


@require_action("source.sync")
def sync(request: HttpRequest) -> HttpResponse:
    """For admins."""
    return HttpResponse("synced")


@require_action("catalog.read")
def shell(request: HttpRequest) -> HttpResponse:
    """A page of the shell, with nothing in it."""
    return render(request, "base.html")


# A line end of Windows, a lone carriage return, a hidden direction mark, quotes: all that HTML would change or hide.
COMMAND = 'echo "a" & whoami\r\nrm \u202e-rf\rdone\n'


@require_action("catalog.read")
def command(request: HttpRequest) -> HttpResponse:
    """A page of the shell with one code block."""
    block = '{% include "shared/code.html" with label="cmd" text=text %}'
    page = Template('{% extends "base.html" %}{% block content %}' + block + "{% endblock %}")
    return HttpResponse(page.render(RequestContext(request, {"text": COMMAND})))


@require_action("catalog.read")
def suspicious(request: HttpRequest) -> HttpResponse:
    """Raises what Django raises for a request that it does not trust."""
    raise SuspiciousOperation("a made-up reason")


@require_action("catalog.read")
def broken(request: HttpRequest) -> HttpResponse:
    """Raises what no view should."""
    raise ValueError("the inside of the machine")


@public
def anybody(request: HttpRequest) -> HttpResponse:
    """For everybody."""
    return HttpResponse("open")


urlpatterns = [
    path("forgotten", forgotten),
    path("read", read),
    path("sync", sync),
    path("shell", shell),
    path("command", command),
    path("suspicious", suspicious),
    path("broken", broken),
    path("anybody", anybody),
    path("api/v1/forgotten", forgotten),
    path("", include("aegis.accounts.urls")),
    path("admin/", admin.site.urls),
]
