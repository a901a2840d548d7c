"""Deny by default: asks the policy before any view runs."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from aegis.accounts.access import answers_for_itself, is_guarded, is_public, required_action
from aegis.accounts.policy import allows

API_PREFIX = "/api/"
PAGE_METHODS = ("GET", "HEAD", "POST")
"""What browsers send. Django's own views take any other method for one of these: a PUT for a POST, a DELETE for a GET."""


class PolicyMiddleware:
    """Lets a request through to a public view, to a DRF view with the policy permission, or where the policy allows it.

    Everybody else gets the login page if they are not logged in, and 403 if they are. A view that names no action is
    refused to all, admins too. Pages answer `PAGE_METHODS`, and 405 to any other.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.respond(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """None to go on, else the refusal. Raises PermissionDenied for the 403 page."""
        if answers_for_itself(view) and is_guarded(view):
            return None
        action = required_action(view) if is_guarded(view) else None
        if not (is_public(view) or (action is not None and allows(request.user, action))):
            return refusal(request)
        return None if request.method in PAGE_METHODS else HttpResponseNotAllowed(PAGE_METHODS)


def refusal(request: HttpRequest) -> HttpResponse:
    """What a visitor gets who may not see a view. Raises PermissionDenied for those who are logged in to the site."""
    if request.path.startswith(API_PREFIX):
        problem = {"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "This endpoint is closed."}
        return JsonResponse(problem, status=403, content_type="application/problem+json")
    if request.user.is_authenticated:
        raise PermissionDenied
    return login_redirect(request)


def login_redirect(request: HttpRequest) -> HttpResponse:
    """To the login page, and afterwards back to the page that was asked for (for htmx: to the page that asked)."""
    login_url = resolve_url(settings.LOGIN_URL)
    if request.headers.get("HX-Request") == "true":
        page = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]  # django_htmx sets it
        return HttpResponseClientRedirect(redirect_to_login(page, login_url).url)
    page = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
    return redirect_to_login(page, login_url)
