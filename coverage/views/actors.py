"""Pages of threat actors: the list, the page of one, and several beside each other."""

from collections.abc import Callable
from typing import Any, Final

from django.db.models import Q
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.exports import Table, Value
from aegis.lib.filter_bar import drawn
from aegis.lib.ordering import Keys, ordered
from aegis.lib.pages import paginate, render_page
from catalog.exports import exported
from coverage.figures.actor_compare import FEWEST, MOST, SHOWN, Comparison, compared, wanted
from coverage.figures.actors import actor_gaps, actor_rows, tactic_strips
from coverage.figures.shares import TechniqueFacts
from coverage.figures.standing import Standing
from coverage.filters import CoveredActorFilter, with_proof
from coverage.gaps.query import known_actors
from coverage.gaps.ranking import CLAIMS_OF_GAPS
from intel.models import IntelItem, ThreatActor
from intel.profile import profile_of, software_of

ORDERING: Final[Keys] = {
    "name": Lower("name"),
    "country": "country",
    "motivation": "motivation",
    "techniques": "used",
    "proven": "share_proven",
}
MOST_NEWS: Final = 8
MOST_GAPS: Final = 20
FILTERS: Final = ("search", "technique", "country", "motivation", "sector", "region", "coverage")
EXPORT: Final = Table(
    "actors",
    {
        "Id": "mitre_id",
        "Actor": "name",
        "Aliases": "aliases",
        "Country": "country",
        "Motivation": "motivation",
        "Sectors": "target_sectors",
        "Techniques": "used",
        "Techniques by itself": "used_itself",
        "Proven": "proven",
        "Proven gaps": "proven_gaps",
        "Version": "source_version",
    },
)


@require_action("intel.read")
@require_safe
def actor_list(request: HttpRequest) -> HttpResponseBase:
    """Actors that ATT&CK publishes, unless the filters ask for others, each with how its techniques stand."""
    actors = with_proof(ThreatActor.objects.with_used()).defer("description", "attributions")
    filterset = CoveredActorFilter(request.GET, actors)
    rows = ordered(request, filterset.qs, ORDERING)
    if (file := exported(request, EXPORT, rows)) is not None:
        return file
    page = paginate(request, rows)
    context = {
        "filterset": drawn(filterset, *FILTERS),
        "page": page,
        "rows": actor_rows(list(page.object_list), TechniqueFacts.now()),
    }
    return render_page(request, "intel/actor_list.html", context, partial="list")


@require_action("intel.read")
@require_safe
def actor_detail(request: HttpRequest, mitre_id: str) -> HttpResponse:
    """One actor, whatever became of it: what it does, how that stands, and the gaps, ranked."""
    actor, predecessors = _with_predecessors(mitre_id.upper())
    standing = Standing.now(CLAIMS_OF_GAPS)
    profile = profile_of(actor, standing.claims["rules"])
    used = [one.technique.mitre_id for group in profile.groups for one in group.techniques]
    gaps = actor_gaps(actor, used, standing)
    context = {
        "actor": actor,
        "profile": profile,
        "figures": standing.figures(used),
        "strips": tactic_strips(standing, used),
        "ranked": gaps[:MOST_GAPS],
        "ranked_all": len(gaps),
        "release": standing.release,
        "as_of": timezone.now(),
        "software": software_of(actor),
        "predecessors": predecessors,
        "news": IntelItem.objects.naming("actor", actor.mitre_id).select_related("feed")[:MOST_NEWS],
    }
    return render_page(request, "intel/actor_detail.html", context)


@require_action("intel.read")
@require_safe
def actor_compare(request: HttpRequest) -> HttpResponseBase:
    """Two to five actors beside each other: `?actor=` names each, `?show=` all techniques, shared or own ones."""
    known = known_actors()
    asked = wanted(request.GET, known)
    show = request.GET.get("show", "")
    comparison = compared(asked, show) if len(asked) >= FEWEST else None
    if comparison and (file := exported(request, beside(comparison), comparison.rows)) is not None:
        return file
    context = {
        "known": known,
        "places": [*asked, *[None] * (MOST - len(asked))],
        "comparison": comparison,
        "rows": comparison.rows if comparison else (),
        "chosen": "&".join(f"actor={actor.mitre_id}" for actor in asked),
        "shown": SHOWN,
        "show": show if show in SHOWN else "",
    }
    return render_page(request, "intel/actor_compare.html", context)


def beside(comparison: Comparison) -> Table:
    """The columns of a comparison as a file: one for each actor."""
    columns: dict[str, Value] = {"Id": "mitre_id", "Technique": "name"}
    for place, column in enumerate(comparison.columns):
        columns[f"{column.actor.name} ({column.actor.mitre_id})"] = _uses(place)
    return Table("compared", {**columns, "Claimed": "claimed", "Proven": "proven", "Missed": "missed"})


def _uses(place: int) -> Callable[[Any], bool]:
    return lambda row: bool(row.used[place])


def _with_predecessors(mitre_id: str) -> tuple[ThreatActor, list[ThreatActor]]:
    """The actor with that id, and the revoked ones that it succeeds, by name. One query. Raises Http404."""
    if "\0" in mitre_id:
        raise Http404("no actor has such an id")
    named = Q(mitre_id=mitre_id) | Q(revoked_by=mitre_id)
    rows = list(ThreatActor.objects.select_related("revoked_by").filter(named).order_by("name"))
    actor = next((row for row in rows if row.mitre_id == mitre_id), None)
    if actor is None:
        raise Http404("no actor has such an id")
    return actor, [row for row in rows if row is not actor]
