"""Requests of machines that know no name of the site: they are answered before anything asks for one."""

from collections.abc import Callable, Mapping
from typing import Final

from django.http import HttpRequest, HttpResponseBase

from aegis.health import health, ready
from aegis.metrics import metrics

PROBES: Final[Mapping[str, Callable[[HttpRequest], HttpResponseBase]]] = {
    "/health": health,
    "/health/ready": ready,
    "/health/metrics": metrics,
}


class ProbesMiddleware:
    """Answers probes before anything looks at the name they asked for (an address, mostly), a session or the database."""

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = PROBES.get(request.path_info.rstrip("/"))
        return probe(request) if probe else self.respond(request)
