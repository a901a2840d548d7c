"""Pages of D3FEND's defensive techniques."""

from typing import Final

from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.exports import Table
from aegis.lib.filter_bar import drawn
from aegis.lib.ordering import Keys, ordered
from aegis.lib.pages import paginate, render_page
from aegis.lib.rows import row_or_404
from catalog.countering import countered_by
from catalog.exports import exported
from catalog.filters import DefensiveTechniqueFilter
from catalog.models import DefensiveTechnique

ORDERING: Final[Keys] = {"name": Lower("name"), "tactic": "tactic_position", "techniques": "countered"}
FILTERS: Final = ("search", "technique", "tactic")
EXPORT: Final = Table(
    "defences",
    {
        "Id": "d3fend_id",
        "Defence": "name",
        "Tactic": "tactic",
        "Parent": lambda defence: defence.parent.d3fend_id if defence.parent else "",
        "Techniques": "countered",
        "Withdrawn": "withdrawn_at",
        "Version": "source_version",
    },
)


@require_action("catalog.read")
@require_safe
def defence_list(request: HttpRequest) -> HttpResponseBase:
    """Defences that D3FEND publishes, by its own tactics."""
    defences = DefensiveTechnique.objects.with_countered().select_related("parent")
    filterset = DefensiveTechniqueFilter(request.GET, defences)
    grouped = "ordering" not in request.GET
    rows = ordered(request, filterset.qs, ORDERING)
    if (file := exported(request, EXPORT, rows)) is not None:
        return file
    context = {"filterset": drawn(filterset, *FILTERS), "page": paginate(request, rows), "grouped": grouped}
    return render_page(request, "catalog/defence_list.html", context, partial="list")


@require_action("catalog.read")
@require_safe
def defence_detail(request: HttpRequest, d3fend_id: str) -> HttpResponse:
    """One defence, whatever became of it."""
    defence = row_or_404(DefensiveTechnique.objects.select_related("parent"), d3fend_id=d3fend_id.upper())
    context = {
        "defence": defence,
        "children": defence.children.current().order_by("name"),
        "countered": countered_by(defence),
    }
    return render_page(request, "catalog/defence_detail.html", context)
