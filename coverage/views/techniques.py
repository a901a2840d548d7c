"""The list of techniques, and the page of one."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.filter_bar import drawn
from aegis.lib.ordering import ordered
from aegis.lib.pages import paginate, render_page
from catalog.exports import exported
from catalog.models import Technique
from coverage.filters import CoveredTechniqueFilter
from coverage.gaps.owners import assignments_of
from coverage.models import Test
from coverage.techniques.ids import TECHNIQUE_ID, other_id
from coverage.techniques.listing import EXPORT, ORDER, elsewhere, exact_first, listed
from coverage.techniques.page import TABS, figures, relatives, release, tabs, technique_of
from coverage.techniques.standing import latest_tests, standing_of
from coverage.techniques.tabs import TAB, history

DRAWN = (
    "search",
    "tactic",
    "platform",
    "actor",
    "status",
    "backlog",
    "proven",
    "is_subtechnique",
    "local",
    "has_rules",
    "has_templates",
)


@require_action("coverage.read")
@require_safe
def technique_list(request: HttpRequest) -> HttpResponseBase:
    """Techniques with what stands beside each."""
    filterset = CoveredTechniqueFilter(request.GET, Technique.objects.order_by("mitre_id"))
    search = str(filterset.form.cleaned_data.get("search") or "") if filterset.is_valid() else ""
    found = listed(filterset.qs)
    rows = ordered(request, exact_first(found, search) if search else found, ORDER)
    if (file := exported(request, EXPORT, rows)) is not None:
        return file
    context = {
        "filterset": drawn(filterset, *DRAWN),
        "page": paginate(request, rows),
        "elsewhere": elsewhere(search),
        "searched_id": search.strip().upper() if TECHNIQUE_ID.fullmatch(search.strip()) else "",
        "by_id": request.GET.get("ordering", "mitre_id") in {"mitre_id", "-mitre_id"} and not search,
    }
    return render_page(request, "coverage/technique_list.html", context, partial="list")


@require_action("coverage.read")
@require_safe
def technique_detail(request: HttpRequest, mitre_id: str) -> HttpResponse:
    """One technique; a lower-case id leads to the upper-case one, an id that is none to what is known of it."""
    if mitre_id != mitre_id.upper():
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return HttpResponsePermanentRedirect(reverse("coverage:technique", args=[mitre_id.upper()]) + query)
    technique = technique_of(mitre_id) if TECHNIQUE_ID.fullmatch(mitre_id) else None
    if technique is None:
        return _unknown(request, mitre_id)
    return _revoked(request, technique) if technique.revoked else _detail(request, technique)


def _detail(request: HttpRequest, technique: Technique) -> HttpResponse:
    asked = request.GET.get("tab", "")
    tab = asked if asked in TABS else "attack"
    members = list(relatives(technique))
    context: dict[str, Any] = {
        "technique": technique,
        "members": members,
        "figures": figures(technique, members=members),
        "tabs": tabs(technique, tab),
        "tab": tab,
        "standing": standing_of(technique),
        "assignments": assignments_of(technique),
    }
    if tab == "attack":
        context["tests"] = latest_tests(technique)
    return render_page(request, "coverage/technique_detail.html", context | TAB[tab](technique), partial="tab")


def _revoked(request: HttpRequest, technique: Technique) -> HttpResponse:
    tests = Test.objects.live().filter(technique=technique)
    context = {"technique": technique, "other": other_id(technique.mitre_id), "tests": tests.count()}
    return render_page(request, "coverage/technique_revoked.html", context | history(technique))


def _unknown(request: HttpRequest, mitre_id: str) -> HttpResponse:
    other = other_id(mitre_id) if TECHNIQUE_ID.fullmatch(mitre_id) else None
    context = {"mitre_id": mitre_id, "other": other, "release": release()}
    status = 200 if other and other.meant else 404
    return render_page(request, "coverage/technique_unknown.html", context, status=status)
