"""D3FEND against our gaps."""

from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.filter_bar import drawn
from aegis.lib.pages import paginate, render_page
from catalog.exports import exported
from catalog.models import Technique
from coverage.filters import CoveredTechniqueFilter
from coverage.gaps.defences import countered, countermeasures, open_gaps
from coverage.list_tables import DEFENCE_GAPS, countered_rows

FILTERS: Final = ("search", "tactic", "platform", "status", "proven_gap")


@require_action("coverage.read")
@require_safe
def defence_gaps(request: HttpRequest) -> HttpResponseBase:
    """Our gaps with what counters each, and the defences that counter most of those that the filters leave."""
    filterset = CoveredTechniqueFilter(request.GET, Technique.objects.all(), request=request)
    gaps = open_gaps(filterset.qs)
    if (file := exported(request, DEFENCE_GAPS, countered_rows(gaps))) is not None:
        return file
    page = paginate(request, gaps)
    context = {
        "filterset": drawn(filterset, *FILTERS),
        "page": page,
        "rows": countered(list(page.object_list)),
        "best": countermeasures(gaps),
    }
    return render_page(request, "coverage/defence_gaps.html", context, partial="list")
