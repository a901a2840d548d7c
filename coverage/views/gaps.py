"""The gap ranking, and the next best campaign that closes the first of them."""

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.pages import paginate, render_page
from catalog.exports import exported
from catalog.models import Technique, TestTemplate
from coverage.gaps.next_campaign import CampaignPlan, PlanFacts, next_campaign
from coverage.gaps.owners import OwnedGapForm, owned_by
from coverage.gaps.query import Chosen, GapForm, GapQuery, known_actors
from coverage.gaps.ranking import Gap, GapFacts, ranked_gaps
from coverage.list_tables import GAPS
from coverage.models import Campaign
from coverage.services.campaigns import create_campaign

NAMED = 3
"""Actors that the name of a campaign lists."""


@require_action("coverage.read")
@require_safe
def gap_list(request: HttpRequest) -> HttpResponseBase:
    """The gaps in order, by the actors and weights of the address; what is wrong there is said, and counts as usual."""
    known = known_actors()
    form = OwnedGapForm(request.GET, known)
    query = form.query
    facts = GapFacts.now(query, known)
    gaps = ranked_gaps(facts, query)
    form.offer(gaps)
    rows: list[Gap] = owned_by(gaps, form.asked_owner, cast(User, request.user))
    if (file := exported(request, GAPS, rows)) is not None:
        return file
    context = {
        "form": form,
        "query": query,
        "facts": facts,
        "unproven": len(gaps),
        "page": paginate(request, rows),
        "as_of": timezone.now(),
    }
    return render_page(request, "coverage/gap_list.html", context, partial="list", status=400 if form.errors else 200)


@require_action("coverage.read")
@require_safe
def campaign_next(request: HttpRequest) -> HttpResponse:
    """The plan for the actors and the budget of the address."""
    known = known_actors()
    form = GapForm(request.GET, known)
    plan = next_campaign(PlanFacts.now(form.query, known), form.query)
    return _plan_page(request, form, plan, status=400 if form.errors else 200)


@require_action("campaign.manage")
@require_POST
def campaign_next_create(request: HttpRequest) -> HttpResponse:
    """Plan the campaign that the visitor saw; where the best plan is another by now, show that first."""
    known = known_actors()
    form = GapForm(request.POST, known)
    facts = PlanFacts.now(form.query, known)
    plan = next_campaign(facts, form.query)
    if form.errors or not plan.picks:
        return _plan_page(request, form, plan, status=400)
    if request.POST.get("seen") != seen(plan):
        messages.warning(request, "The best plan has changed since you looked: this is the new one.")
        return _plan_page(request, form, plan, status=409)
    try:
        campaign = _created(cast(User, request.user), plan, list(facts.chosen))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return _plan_page(request, form, plan, status=400)
    messages.success(request, "The campaign is planned: its tests are drafts.")
    return redirect(campaign)


def seen(plan: CampaignPlan) -> str:
    """What the tests of a plan are, in one line: a form carries it, so that nobody plans what they did not see."""
    return " ".join(f"{pick.mitre_id}:{pick.template.pk if pick.template else '-'}" for pick in plan.picks)


def _created(by: User, plan: CampaignPlan, chosen: list[Chosen]) -> Campaign:
    recipes = [pick.template.pk for pick in plan.picks if pick.template]
    templates = TestTemplate.objects.in_bulk(recipes)
    bare = [pick.mitre_id for pick in plan.picks if not pick.template]
    techniques = Technique.objects.in_bulk(bare, field_name="mitre_id")
    return create_campaign(
        by=by,
        name=_name(plan.query, chosen)[:255],
        goal=f"Raise the proven coverage of the chosen actors from {plan.before} % to {plan.after} %.",
        templates=[templates[pk] for pk in recipes],
        techniques=[techniques[mitre_id] for mitre_id in bare],
    )


def _name(query: GapQuery, chosen: list[Chosen]) -> str:
    if not query.actors and not query.sectors:
        return "Next best campaign"
    named = ", ".join(actor.name for actor in chosen[:NAMED])
    more = len(chosen) - NAMED
    return f"Next best campaign: {named}{f' and {more} more' if more > 0 else ''}"


def _plan_page(request: HttpRequest, form: GapForm, plan: CampaignPlan, *, status: int) -> HttpResponse:
    context = {"form": form, "plan": plan, "query": plan.query, "seen": seen(plan), "as_of": timezone.now()}
    return render_page(request, "coverage/campaign_next.html", context, status=status)
