"""Campaigns: the list, the page of one, a new one, and a retest."""

from typing import cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.filter_bar import drawn
from aegis.lib.pages import paginate, render_page
from coverage.campaign_form import CampaignForm
from coverage.campaign_page import shown
from coverage.filters import CampaignFilter
from coverage.models import Campaign, Layer
from coverage.services.campaigns import create_campaign, duplicate_as_retest
from coverage.services.layers import used_techniques
from coverage.workflow import DECIDED


@require_action("campaign.read")
@require_GET
def campaign_list(request: HttpRequest) -> HttpResponse:
    """Live campaigns, the latest first, each with how many of its tests are decided."""
    live = Q(tests__archived_at=None)
    campaigns = Campaign.objects.select_related("actor").annotate(
        planned=Count("tests", filter=live), decided=Count("tests", filter=live & Q(tests__state__in=DECIDED))
    )
    filterset = CampaignFilter(request.GET, campaigns, request=request)
    context = {"filterset": drawn(filterset, "search"), "page": paginate(request, filterset.qs.order_by("-pk"))}
    return render_page(request, "coverage/campaign_list.html", context, partial="list")


@require_action("campaign.read")
@require_GET
def campaign_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One campaign: how far it is, what it showed, and what changed since the run that it repeats."""
    campaign = get_object_or_404(Campaign.objects.select_related("actor", "retest_of", "created_by"), pk=pk)
    return render_page(request, "coverage/campaign_detail.html", shown(campaign))


@require_action("campaign.manage")
@require_http_methods(["GET", "POST"])
def campaign_new(request: HttpRequest) -> HttpResponse:
    """Plan a campaign from techniques or an actor, which `?actor=` may name. A POST of techniques alone fills in the form.

    `?layer=` names a layer whose techniques fill it in.
    """
    chosen = " ".join(dict.fromkeys(request.POST.getlist("technique"))) or _of_layer(request)
    initial = {"actor": request.GET.get("actor", "")[:16], "techniques": chosen}
    form = CampaignForm(None if "technique" in request.POST else request.POST or None, initial=initial)
    if form.is_valid():
        try:
            campaign = create_campaign(by=cast(User, request.user), **form.cleaned_data)
        except ValidationError as error:
            for text in error.messages:
                form.add_error(None, text)
        else:
            messages.success(request, "The campaign is planned: its tests are drafts.")
            return redirect(campaign)
    return render_page(request, "coverage/campaign_new.html", {"form": form}, status=400 if form.errors else 200)


@require_action("campaign.manage")
@require_POST
def campaign_retest(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan the same tests again, without results."""
    campaign = get_object_or_404(Campaign, pk=pk)
    retest = duplicate_as_retest(by=cast(User, request.user), campaign=campaign)
    messages.success(
        request, "The retest is planned: the same tests as drafts, each linked to the one that it repeats."
    )
    return redirect(retest)


def _of_layer(request: HttpRequest) -> str:
    """The ids of the techniques that the layer in the address marks. Raises Http404 if the visitor may not see it."""
    asked = request.GET.get("layer", "")
    if not asked.isdecimal() or len(asked) > 18:
        return ""
    layer = get_object_or_404(Layer.objects.visible_to(cast(User, request.user)), pk=asked)
    return " ".join(technique.mitre_id for technique in used_techniques(layer))
