"""Makes the request known to whatever is recorded during it, and records every refusal of somebody."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseBase

from aegis.accounts.access import required_action
from aegis.audit.recording import Subject, record
from aegis.audit.visit import Visit, visiting


class AuditMiddleware:
    """Stands outside of all that may answer 403: the policy, the API's permissions, the check of forms, a view itself.

    What is refused to nobody in particular stands in the log alone: the trail is kept for ever, and strangers could fill it.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        visit = Visit.of(request)
        with visiting(visit):
            response = self.respond(request)
            if response.status_code == HTTPStatus.FORBIDDEN and visit.user is not None:
                record_denial(request)
        response["X-Request-ID"] = visit.id
        return response


def record_denial(request: HttpRequest) -> None:
    """`access.denied`, with the route and the action that its view asks for. A query string may hold secrets: it stays out."""
    match = request.resolver_match
    route = match.view_name if match else ""
    needed = required_action(match.func) if match else None
    asked = {"method": request.method, "path": request.path}
    record(
        None,
        "access.denied",
        Subject("route", route, f"{request.method} {request.path}"),
        after=asked | {"requires": needed},
    )
