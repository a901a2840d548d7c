"""Pages of compliance frameworks and their controls."""

from collections.abc import Sequence
from typing import Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.filter_bar import drawn
from aegis.lib.ordering import Keys, ordered
from aegis.lib.pages import paginate, render_page
from compliance.control_page import family_of, mappings_of
from compliance.filters import ComplianceControlFilter
from compliance.models import ComplianceControl, ComplianceFramework

ORDERING: Final[Keys] = {"control": "sort_key", "title": "title", "techniques": "mapped"}
FILTERS: Final = ("search", "framework", "category", "technique", "withdrawn")


@require_action("compliance.read")
@require_safe
def control_list(request: HttpRequest) -> HttpResponse:
    """The controls of one framework: of its newest revision, unless the filter names another."""
    frameworks = list(ComplianceFramework.objects.current())
    asked = _with_framework(request.GET, frameworks)
    filterset = ComplianceControlFilter(asked, ComplianceControl.objects.with_mapped().defer("description"))
    # Controls of two revisions in one list would only be taken for each other: there is no "any".
    filterset.form.fields["framework"].widget.choices = [(one.slug, str(one)) for one in frameworks]
    context = {
        "filterset": drawn(filterset, *FILTERS),
        "page": paginate(request, ordered(request, filterset.qs, ORDERING)),
        "framework": next((one for one in frameworks if one.slug == asked.get("framework")), None),
        "grouped": request.GET.get("ordering", "control") == "control",
    }
    return render_page(request, "compliance/control_list.html", context, partial="list")


@require_action("compliance.read")
@require_safe
def control_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One control, whatever became of it."""
    control = get_object_or_404(ComplianceControl.objects.select_related("framework"), pk=pk)
    context = {"control": control, "mappings": mappings_of(control), "family": family_of(control)}
    return render_page(request, "compliance/control_detail.html", context)


def _with_framework(asked: QueryDict, frameworks: Sequence[ComplianceFramework]) -> QueryDict:
    """The query string, with the newest revision where it names no framework."""
    if asked.get("framework") or not frameworks:
        return asked
    completed = asked.copy()
    completed["framework"] = frameworks[-1].slug
    return completed
