"""Pages of compliance: frameworks, their families and controls with what tests have shown, and the conflicts between both."""

from collections.abc import Sequence
from typing import Final

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.exports import Table
from aegis.lib.filter_bar import drawn
from aegis.lib.ordering import Keys, ordered
from aegis.lib.pages import paginate, render_page
from catalog.exports import exported
from compliance.control_page import family_of, mappings_of
from compliance.filters import ComplianceControlFilter
from compliance.models import ComplianceControl, ComplianceFramework
from coverage.control_figures import (
    MOST_TESTS,
    conflicting,
    conflicts,
    control_rows,
    family_rows,
    framework_rows,
    mapping_rows,
    proof_of,
)
from coverage.shares import TechniqueFacts

ORDERING: Final[Keys] = {"control": "sort_key", "title": "title", "techniques": "mapped"}
FILTERS: Final = ("search", "framework", "category", "technique", "withdrawn")
EXPORT: Final = Table(
    "controls",
    {
        "Framework": "framework_id",
        "Control": "control_id",
        "Title": "title",
        "Family": "category",
        "Parent": "parent_control_id",
        "Techniques": "mapped",
        "Withdrawn by the framework": "withdrawn",
        "Version": "source_version",
    },
)
CONFLICT_FILTERS: Final = ("search", "framework", "category", "technique")


@require_action("compliance.read")
@require_safe
def control_list(request: HttpRequest) -> HttpResponseBase:
    """The controls of one framework: of its newest revision, unless the filter names another."""
    frameworks = list(ComplianceFramework.objects.current())
    asked = _with_framework(request.GET, frameworks)
    filterset = ComplianceControlFilter(asked, ComplianceControl.objects.with_mapped().defer("description"))
    rows = ordered(request, filterset.qs, ORDERING)
    if (file := exported(request, EXPORT, rows)) is not None:
        return file
    # Controls of two revisions in one list would only be taken for each other: there is no "any".
    filterset.form.fields["framework"].widget.choices = [(one.slug, str(one)) for one in frameworks]
    page = paginate(request, rows)
    context = {
        "filterset": drawn(filterset, *FILTERS),
        "page": page,
        "rows": control_rows(list(page.object_list), TechniqueFacts.now()),
        "framework": next((one for one in frameworks if one.slug == asked.get("framework")), None),
        "grouped": request.GET.get("ordering", "control") == "control",
    }
    return render_page(request, "compliance/control_list.html", context, partial="list")


@require_action("compliance.read")
@require_safe
def framework_list(request: HttpRequest) -> HttpResponse:
    """The frameworks, each with how the techniques that it is mapped to stand."""
    context = {"rows": framework_rows(TechniqueFacts.now())}
    return render_page(request, "compliance/framework_list.html", context)


@require_action("compliance.read")
@require_safe
def framework_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """The families of one framework."""
    framework = get_object_or_404(ComplianceFramework, slug=slug)
    rows = family_rows(framework, TechniqueFacts.now())
    context = {
        "framework": framework,
        "rows": rows,
        "tested": any(row.shares.proven or row.shares.missed for row in rows),
    }
    return render_page(request, "compliance/framework_detail.html", context)


@require_action("compliance.read")
@require_safe
def conflict_list(request: HttpRequest) -> HttpResponse:
    """Controls that are said to mitigate techniques which tests missed."""
    filterset = ComplianceControlFilter(request.GET, ComplianceControl.objects.select_related("framework"))
    page = paginate(request, conflicting(filterset.qs))
    context = {
        "filterset": drawn(filterset, *CONFLICT_FILTERS),
        "page": page,
        "rows": conflicts(list(page.object_list), TechniqueFacts.now()),
    }
    return render_page(request, "compliance/conflict_list.html", context, partial="list")


@require_action("compliance.read")
@require_safe
def control_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One control, whatever became of it."""
    control = get_object_or_404(ComplianceControl.objects.select_related("framework"), pk=pk)
    facts, mappings = TechniqueFacts.now(), mappings_of(control)
    current = mappings.current.mappings if mappings.current else ()
    techniques = {str(mapping.technique_id) for mapping in current if mapping.technique_id in facts.active}
    context = {
        "control": control,
        "mappings": mappings,
        "rows": mapping_rows(current, facts),
        "shares": facts.shares(techniques),
        "tests": proof_of(techniques),
        "most_tests": MOST_TESTS,
        "family": family_of(control),
    }
    return render_page(request, "compliance/control_detail.html", context)


def _with_framework(asked: QueryDict, frameworks: Sequence[ComplianceFramework]) -> QueryDict:
    """The query string, with the newest revision where it names no framework."""
    if asked.get("framework") or not frameworks:
        return asked
    completed = asked.copy()
    completed["framework"] = frameworks[-1].slug
    return completed
