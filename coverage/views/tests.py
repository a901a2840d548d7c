"""The list of tests, the page of one, and a new one."""

from typing import Any, TypeVar, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.accounts.policy import allows
from aegis.lib.filter_bar import drawn
from aegis.lib.ordering import ordered
from aegis.lib.pages import paginate, render_page
from catalog.exports import exported
from catalog.models import TestTemplate
from coverage.filters import TestFilter
from coverage.models import Campaign, Test
from coverage.services.creation import create_test
from coverage.testing.board import EXPORT, ORDER, listed, state_tabs
from coverage.testing.forms import NewTestForm
from coverage.testing.one_test import shown, whole
from coverage.testing.refusals import Conflict
from coverage.testing.template_choices import preview
from intel.models import IntelItem

Row = TypeVar("Row", bound=Model)
DRAWN = ("search", "outcome", "technique", "campaign", "mine")


@require_action("test.read")
@require_safe
def board(request: HttpRequest) -> HttpResponseBase:
    """Live tests by state, the latest first."""
    filterset = TestFilter(request.GET, listed(), request=request)
    rows = ordered(request, filterset.qs, ORDER)
    if (file := exported(request, EXPORT, rows)) is not None:
        return file
    context = {
        "filterset": drawn(filterset, *DRAWN),
        "page": paginate(request, rows),
        "states": state_tabs(request),
        "is_empty": not request.GET and not Test.objects.exists(),
    }
    return render_page(request, "coverage/test_list.html", context, partial="list")


@require_action("test.read")
@require_safe
def one_test(request: HttpRequest, pk: int) -> HttpResponse:
    """One test: what was done, what was seen, and what may be done to it now."""
    test = get_object_or_404(whole(Test.objects.all()), pk=pk)
    return render_page(request, "coverage/test_detail.html", shown(test, cast(User, request.user)))


@require_action("test.create")
@require_http_methods(["GET", "HEAD", "POST"])
def new_test(request: HttpRequest) -> HttpResponse:
    """A new test, from scratch or from the template that `?template=` names. A POST with a template alone is enough.

    `?item=` names the news that gave the idea: a test without a template begins with their title and address.
    """
    user = cast(User, request.user)
    template = _named(request, "template", TestTemplate.objects.select_related("technique"))
    item = _named(request, "item", IntelItem.objects.all())
    campaigns = Campaign.objects.live() if allows(user, "campaign.manage") else Campaign.objects.none()
    form = NewTestForm(
        request.POST or None,
        template=template,
        campaigns=campaigns,
        initial={"technique": request.GET.get("technique", "").upper()[:16]},
    )
    if form.is_valid():
        try:
            test = create_test(by=user, **form.plan(), **_told(item, template))
        except (Conflict, ValidationError) as refusal:
            form.add_error(None, refusal.messages if isinstance(refusal, ValidationError) else [str(refusal)])
        else:
            messages.success(request, f"Test {test.pk} is a draft. Fill in what you do, and what is seen.")
            return redirect(test)
    context: dict[str, Any] = {"form": form, "template": template, "item": item}
    if template:
        context["preview"] = preview(template, request.POST or request.GET)
    return render_page(request, "coverage/test_new.html", context, status=400 if form.errors else 200)


def _named(request: HttpRequest, name: str, rows: QuerySet[Row]) -> Row | None:
    """The row whose number the form or the address gives, None if neither does. Raises Http404."""
    asked = request.POST.get(name) or request.GET.get(name, "")
    if not asked:
        return None
    if not asked.isdecimal() or len(asked) > 9:
        raise Http404(f"There is no such {name}.")
    return get_object_or_404(rows, pk=asked)


def _told(item: IntelItem | None, template: TestTemplate | None) -> dict[str, str]:
    """The procedure that an item gives a test which has no template."""
    if item is None or template is not None:
        return {}
    return {"procedure": "\n".join(filter(None, [f"In the news: {item.title}", item.url]))}
