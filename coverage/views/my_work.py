"""The page of what waits for the visitor."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.accounts.policy import allows
from aegis.lib.pages import render_page
from coverage.my_work import to_close, to_decide, to_finish, to_read, to_review

MOST = 50
"""Rows of each list that the page shows."""


@require_action("test.read")
@require_safe
def my_work(request: HttpRequest) -> HttpResponse:
    """The visitor's drafts, rejected tests, gaps and news, and for leads what waits for their decision or review."""
    user = cast(User, request.user)
    context = {
        "finish": to_finish(user).without_texts().select_related("technique", "updated_by")[:MOST],  # type: ignore[attr-defined]
        "decide": to_decide(user).without_texts().select_related("technique", "submitted_by")[:MOST],  # type: ignore[attr-defined]
        "review": to_review(user).select_related("technique").defer("technique__description")[:MOST],
        "close": to_close(user).select_related("technique__coverage", "assigned_by", "owner")[:MOST],
        "owns": allows(user, "gap.own"),
        "read": to_read(user).select_related("feed").defer("summary", "body")[:MOST],
        "decides": allows(user, "test.decide"),
        "writes": allows(user, "test.create"),
    }
    return render_page(request, "coverage/my_work.html", context)
