"""How a page is answered: whole on the first visit, one named part of it to htmx; and how a long list is cut into pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    partial: str = "content",
    status: int = 200,
) -> HttpResponse:
    """The whole page, or to an htmx request the partial of that name in the same template, with the same context.

    A page that htmx fetches to restore history is whole. The answer varies on the headers that decide.
    """
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # django_htmx sets it
    wants_part = htmx and not htmx.history_restore_request
    response = render(request, f"{template}#{partial}" if wants_part else template, context, status=status)
    patch_vary_headers(response, ("HX-Request", "HX-History-Restore-Request"))
    return response


def paginate(request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], per_page: int = 50) -> Page[Any]:
    """The page that `?page=` names; the first for nonsense, the last for a number beyond the end."""
    return Paginator(rows, per_page).get_page(request.GET.get("page"))


def came_from(request: HttpRequest) -> str:
    """The path that a form or the address names as `next`, if it is one of this site; else empty."""
    wish = request.POST.get("next") or request.GET.get("next", "")
    return wish if wish.startswith("/") and url_has_allowed_host_and_scheme(wish, allowed_hosts=None) else ""
