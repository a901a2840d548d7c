"""Views of the matrix that a visitor saved under a name: theirs alone."""

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.pages import render_page
from coverage.models import SavedView
from coverage.services.views import delete_view, rename_view, save_view


@require_action("view.keep")
@require_safe
def view_list(request: HttpRequest) -> HttpResponse:
    """The visitor's views, by name."""
    return render_page(request, "coverage/view_list.html", {"views": _own(request)})


@require_action("view.keep")
@require_POST
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep the address in `query` under a name."""
    query = QueryDict(request.POST.get("query", "").removeprefix("?")).urlencode()
    try:
        view = save_view(by=cast(User, request.user), name=request.POST.get("name", ""), query=query)
    except ValidationError as error:
        messages.error(request, f"Not saved: {' '.join(error.messages)}")
        return redirect("coverage:view-list")
    messages.success(request, f"The view {view.name} is saved.")
    return redirect(view.url)


@require_action("view.keep")
@require_POST
def view_rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Call a view otherwise."""
    view = get_object_or_404(_own(request), pk=pk)
    try:
        rename_view(by=cast(User, request.user), view=view, name=request.POST.get("name", ""))
    except ValidationError as error:
        messages.error(request, f"Not renamed: {' '.join(error.messages)}")
    return redirect("coverage:view-list")


@require_action("view.keep")
@require_POST
def view_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a view."""
    delete_view(by=cast(User, request.user), view=get_object_or_404(_own(request), pk=pk))
    return redirect("coverage:view-list")


def _own(request: HttpRequest) -> QuerySet[SavedView, SavedView]:
    return SavedView.objects.filter(user=cast(User, request.user))
