"""D3FEND against our gaps."""

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.pages import render_page
from catalog.exports import exported
from coverage.defence_gaps import countered, countermeasures, open_gaps
from coverage.list_tables import DEFENCE_GAPS, countered_rows


@require_action("coverage.read")
@require_safe
def defence_gaps(request: HttpRequest) -> HttpResponseBase:
    """Our gaps with what counters each, and the defences that counter most; `?show=proven` keeps to proven gaps."""
    only_proven = request.GET.get("show") == "proven"
    gaps = open_gaps(only_proven=only_proven)
    if (file := exported(request, DEFENCE_GAPS, countered_rows(gaps))) is not None:
        return file
    page = Paginator(gaps, 50).get_page(request.GET.get("page"))
    context = {
        "only_proven": only_proven,
        "page": page,
        "rows": countered(list(page.object_list)),
        "best": countermeasures(gaps),
    }
    return render_page(request, "coverage/defence_gaps.html", context, partial="list")
