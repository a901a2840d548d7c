"""Pages of threat actors."""

from typing import Final

from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.filter_bar import drawn
from aegis.lib.ordering import Keys, ordered
from aegis.lib.pages import paginate, render_page
from aegis.lib.rows import row_or_404
from intel.filters import ThreatActorFilter
from intel.models import IntelItem, ThreatActor
from intel.profile import profile_of

ORDERING: Final[Keys] = {
    "name": Lower("name"),
    "country": "country",
    "motivation": "motivation",
    "techniques": "used",
}
MOST_NEWS: Final = 8
FILTERS: Final = ("search", "technique", "country", "motivation", "sector")


@require_action("intel.read")
@require_safe
def actor_list(request: HttpRequest) -> HttpResponse:
    """Actors that ATT&CK publishes, unless the filters ask for others."""
    filterset = ThreatActorFilter(request.GET, ThreatActor.objects.with_used().defer("description", "attributions"))
    page = paginate(request, ordered(request, filterset.qs, ORDERING))
    context = {"filterset": drawn(filterset, *FILTERS), "page": page}
    return render_page(request, "intel/actor_list.html", context, partial="list")


@require_action("intel.read")
@require_safe
def actor_detail(request: HttpRequest, mitre_id: str) -> HttpResponse:
    """One actor, whatever became of it."""
    actor = row_or_404(ThreatActor.objects.select_related("revoked_by"), mitre_id=mitre_id.upper())
    context = {
        "actor": actor,
        "profile": profile_of(actor),
        "software": actor.software_uses.select_related("software").order_by("software__name", "campaign"),
        "predecessors": actor.revokes.order_by("name"),
        "news": IntelItem.objects.naming("actor", actor.mitre_id).select_related("feed")[:MOST_NEWS],
    }
    return render_page(request, "intel/actor_detail.html", context)
