"""Pages of compliance: frameworks, their families and controls with what tests have shown, and the conflicts between both."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from aegis.accounts.access import require_action
from aegis.accounts.policy import allows
from aegis.lib.exports import Table
from aegis.lib.filter_bar import drawn
from aegis.lib.filters import distinct_values
from aegis.lib.ordering import Keys, ordered
from aegis.lib.pages import paginate, render_page
from catalog.exports import exported
from compliance.control_page import family_of, mappings_of
from compliance.filters import ComplianceControlFilter
from compliance.models import ComplianceControl, ComplianceFramework
from compliance.switching import switch
from compliance.words import CONTROLS
from coverage.figures.controls import (
    MOST_TESTS,
    Conflict,
    conflicting,
    conflicts,
    control_rows,
    family_rows,
    framework_rows,
    mapping_rows,
    proof_of,
    switched_off,
)
from coverage.figures.shares import TechniqueFacts
from imports.store import CHUNK, chunks

ORDERING: Final[Keys] = {"control": "sort_key", "title": "title", "techniques": "mapped"}
FILTERS: Final = ("search", "framework", "category", "technique", "defends", "withdrawn")
HOME_OF_COMPLIANCE: Final = "nist-800-53"
"""The source of the framework that is opened where none is named."""
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
SHARES: Final = {
    "In force": "controls",
    "Mapped": "mapped",
    "Techniques": "shares.techniques",
    "Claimed": "shares.claimed",
    "Proven": "shares.proven",
    "Missed": "shares.missed",
    "Proven gaps": "shares.proven_gaps",
    "Conflicts": "conflicts",
}
FRAMEWORKS: Final = Table(
    "frameworks",
    {
        "Framework": "framework.slug",
        "Name": "framework",
        "Its ATT&CK": "framework.attack_version",
        **SHARES,
        "Version": "framework.source_version",
    },
)
FAMILIES: Final = Table("families", {"Family": "name", **SHARES})
CONFLICT_FILTERS: Final = ("search", "framework", "category", "technique")
CONFLICTS: Final = Table(
    "conflicts",
    {
        "Framework": "control.framework_id",
        "Framework version": "control.framework.version",
        "Control": "control.control_id",
        "Title": "control.title",
        "Family": "control.category",
        "Techniques that tests missed": lambda row: [one.mitre_id for one in row.missed],
        "Missed without any proof": lambda row: [one.mitre_id for one in row.missed if not one.proven],
        "Tests that missed": lambda row: sum(one.missed.tests for one in row.missed),
        "Mapped techniques": "shares.techniques",
        "With proof": "shares.proven",
        "Claimed": "shares.claimed",
    },
)


@require_action("compliance.read")
@require_safe
def control_list(request: HttpRequest) -> HttpResponseBase:
    """The controls of one framework: of NIST's newest revision, unless the filter names another, or a technique."""
    frameworks = list(ComplianceFramework.objects.shown())
    asked = _with_framework(request.GET, frameworks)
    filterset = ComplianceControlFilter(asked, ComplianceControl.objects.with_mapped().defer("description"))
    rows = ordered(request, filterset.qs, ORDERING)
    if (file := exported(request, EXPORT, rows)) is not None:
        return file
    framework = next((one for one in frameworks if one.slug == asked.get("framework")), None)
    _offer(filterset, frameworks, asked)
    page = paginate(request, rows.select_related("framework"))
    context = {
        "filterset": drawn(filterset, *FILTERS),
        "page": page,
        "rows": control_rows(list(page.object_list), TechniqueFacts.now()),
        "framework": framework,
        "words": framework.words if framework else CONTROLS,
        "grouped": request.GET.get("ordering", "control") == "control",
    }
    return render_page(request, "compliance/control_list.html", context, partial="list")


@require_action("compliance.read")
@require_safe
def framework_list(request: HttpRequest) -> HttpResponseBase:
    """The frameworks, each with how the techniques that it is mapped to stand; admins see those that are switched off."""
    rows = framework_rows(TechniqueFacts.now())
    if (file := exported(request, FRAMEWORKS, rows)) is not None:
        return file
    context = {
        "rows": rows,
        "in_force": sum(row.controls for row in rows),
        "controls": CONTROLS,
        "off": switched_off() if allows(request.user, "compliance.manage") else [],
    }
    return render_page(request, "compliance/framework_list.html", context)


@require_action("compliance.read")
@require_safe
def framework_detail(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The families of one framework."""
    framework = get_object_or_404(ComplianceFramework, slug=slug)
    rows = family_rows(framework, TechniqueFacts.now())
    if (file := exported(request, FAMILIES, rows)) is not None:
        return file
    context = {
        "framework": framework,
        "words": framework.words,
        "rows": rows,
        "tested": framework.words.defends and any(row.shares.proven or row.shares.missed for row in rows),
    }
    return render_page(request, "compliance/framework_detail.html", context)


@require_action("compliance.manage")
@require_POST
def framework_switch(request: HttpRequest, slug: str) -> HttpResponse:
    """Show and count a framework, or do so no more."""
    framework = get_object_or_404(ComplianceFramework, slug=slug)
    framework = switch(framework, on=request.POST.get("on") == "true")
    messages.success(request, f"{framework} is switched {'on' if framework.switched_on else 'off'}.")
    return redirect("compliance:framework-list")


@require_action("compliance.read")
@require_safe
def conflict_list(request: HttpRequest) -> HttpResponseBase:
    """Controls that are said to mitigate or detect techniques which tests missed."""
    controls = ComplianceControl.objects.select_related("framework").defer("description")
    filterset = ComplianceControlFilter(request.GET, controls)
    found = conflicting(filterset.qs)
    if (file := exported(request, CONFLICTS, _conflicts(found))) is not None:
        return file
    page = paginate(request, found)
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
        "words": control.framework.words,
        "mappings": mappings,
        "rows": mapping_rows(current, facts),
        "shares": facts.shares(techniques),
        "tests": proof_of(techniques),
        "most_tests": MOST_TESTS,
        "family": family_of(control),
    }
    return render_page(request, "compliance/control_detail.html", context)


def _conflicts(controls: QuerySet[ComplianceControl]) -> Iterable[Conflict]:
    """What conflicts in each of these controls, asked for as somebody reads on."""
    facts = TechniqueFacts.now()
    for chunk in chunks(controls.iterator(chunk_size=CHUNK)):
        yield from conflicts(chunk, facts)


def _with_framework(asked: QueryDict, frameworks: Sequence[ComplianceFramework]) -> QueryDict:
    """The query string, with the newest revision of NIST's where it names neither a framework nor a technique."""
    if asked.get("framework") or asked.get("technique") or not frameworks:
        return asked
    ours = [one for one in frameworks if one.source == HOME_OF_COMPLIANCE]
    completed = asked.copy()
    completed["framework"] = (ours[-1] if ours else frameworks[0]).slug
    return completed


def _offer(filterset: ComplianceControlFilter, frameworks: Sequence[ComplianceFramework], asked: QueryDict) -> None:
    """Let the bar offer the frameworks, and the families of the chosen one.

    Controls of several frameworks in one list would only be taken for each other: "any" is for what a technique asks.
    """
    fields: Any = filterset.form.fields
    anything = [("", "Any")] if asked.get("technique") else []
    fields["framework"].widget.choices = [*anything, *((one.slug, str(one)) for one in frameworks)]
    if slug := asked.get("framework"):
        families = distinct_values(ComplianceControl.objects.in_force().filter(framework=slug), "category")
        fields["category"].widget.choices = [("", "Any"), *families]
