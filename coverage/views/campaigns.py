"""Campaigns: the list, the page of one, planning, changing, putting in order, repeating and archiving one."""

from typing import Any, Final, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.exports import Table
from aegis.lib.filter_bar import drawn
from aegis.lib.listing import WHOLE_NUMBER
from aegis.lib.pages import paginate, render_page
from catalog.exports import exported
from coverage.campaigns.form import CampaignForm, PlanForm, TestsForm
from coverage.campaigns.page import moved, shown
from coverage.filters import CampaignFilter
from coverage.models import Campaign, Layer
from coverage.services.campaigns import (
    EDITABLE,
    add_tests,
    archive_campaign,
    create_campaign,
    duplicate_as_retest,
    edit_campaign,
    reorder,
)
from coverage.services.layers import used_techniques
from coverage.testing.refusals import Conflict
from coverage.testing.workflow import DECIDED
from coverage.views.answers import is_part, texts

EXPORT: Final = Table(
    "campaigns",
    {
        "No.": "pk",
        "Campaign": "name",
        "Goal": "goal",
        "Starts": "starts_on",
        "Ends": "ends_on",
        "Actor": lambda campaign: campaign.actor.name if campaign.actor else "",
        "Tests": "planned",
        "Decided": "decided",
        "Archived": "archived_at",
    },
)


@require_action("campaign.read")
@require_safe
def campaign_list(request: HttpRequest) -> HttpResponseBase:
    """Live campaigns, the latest first, each with how many of its tests are decided."""
    live = Q(tests__archived_at=None)
    campaigns = Campaign.objects.select_related("actor").annotate(
        planned=Count("tests", filter=live), decided=Count("tests", filter=live & Q(tests__state__in=DECIDED))
    )
    filterset = CampaignFilter(request.GET, campaigns, request=request)
    rows = filterset.qs.order_by("-pk")
    if (file := exported(request, EXPORT, rows)) is not None:
        return file
    context = {"filterset": drawn(filterset, "search"), "page": paginate(request, rows)}
    return render_page(request, "coverage/campaign_list.html", context, partial="list")


@require_action("campaign.read")
@require_safe
def campaign_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One campaign: how far it is, what it showed, and what changed since the run that it repeats."""
    campaign = get_object_or_404(Campaign.objects.select_related("actor", "retest_of", "created_by"), pk=pk)
    return render_page(request, "coverage/campaign_detail.html", shown(campaign))


@require_action("campaign.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def campaign_new(request: HttpRequest) -> HttpResponse:
    """Plan a campaign from techniques, templates or an actor. A POST of techniques alone fills in the form.

    `?techniques=` and `?actor=` fill it in too, and `?layer=`, which names a layer, with the techniques of that.
    """
    chosen = " ".join(dict.fromkeys(request.POST.getlist("technique"))) or _of_layer(request)
    initial = typed(request, CampaignForm) | ({"techniques": chosen} if chosen else {})
    form = CampaignForm(None if "technique" in request.POST else request.POST or None, initial=initial)
    if form.is_valid():
        try:
            campaign = create_campaign(by=cast(User, request.user), **form.plan())
        except ValidationError as error:
            _add(form, error)
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


@require_action("campaign.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def campaign_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the name, goal, period and participants."""
    campaign = get_object_or_404(Campaign, pk=pk)
    initial = {name: getattr(campaign, name) for name in EDITABLE} | {"participants": campaign.participants.all()}
    form = PlanForm(request.POST or None, initial=initial)
    if form.is_valid():
        away = campaign.participants.filter(is_active=False)
        try:
            edit_campaign(
                by=cast(User, request.user),
                campaign=campaign,
                changes={name: form.cleaned_data[name] for name in EDITABLE},
                participants=[*form.cleaned_data["participants"], *away],
            )
        except ValidationError as error:
            _add(form, error)
        except Conflict as refusal:
            return _back(request, campaign, str(refusal), messages.ERROR)
        else:
            return _back(request, campaign, "The plan is changed.")
    context = {"form": form, "campaign": campaign}
    return render_page(request, "coverage/campaign_edit.html", context, status=400 if form.errors else 200)


@require_action("campaign.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def campaign_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Add tests at the end, from techniques, templates of theirs, or an actor."""
    campaign = get_object_or_404(Campaign, pk=pk)
    form = TestsForm(request.POST or None, initial=typed(request, TestsForm))
    if form.is_valid():
        try:
            added = add_tests(by=cast(User, request.user), campaign=campaign, **form.sources())
        except ValidationError as error:
            _add(form, error)
        except Conflict as refusal:
            return _back(request, campaign, str(refusal), messages.ERROR)
        else:
            return _back(request, campaign, f"{len(added)} test{'' if len(added) == 1 else 's'} added, as drafts.")
    context = {"form": form, "campaign": campaign}
    return render_page(request, "coverage/campaign_add.html", context, status=400 if form.errors else 200)


@require_action("campaign.manage")
@require_POST
def campaign_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Move the test that `up` or `down` names by one place, or put all in the order that is sent."""
    campaign = get_object_or_404(Campaign.objects.select_related("actor", "retest_of", "created_by"), pk=pk)
    order = list(campaign.tests.live().in_campaign_order().values_list("pk", flat=True))
    try:
        reorder(by=cast(User, request.user), campaign=campaign, tests=dragged(request) or moved(order, request.POST))
    except (Conflict, ValidationError) as refusal:
        return _back(request, campaign, " ".join(texts(refusal)), messages.ERROR)
    if is_part(request):
        return render_page(request, "coverage/campaign_detail.html", shown(campaign), partial="tests")
    return redirect(f"{campaign.get_absolute_url()}#tests")


def dragged(request: HttpRequest) -> list[int]:
    """The whole order as it is sent after dragging; empty if a button was pressed."""
    return [int(pk) for pk in request.POST.getlist("order") if WHOLE_NUMBER.fullmatch(pk)]


@require_action("campaign.manage")
@require_POST
def campaign_archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the campaign away."""
    campaign = get_object_or_404(Campaign, pk=pk)
    try:
        archive_campaign(by=cast(User, request.user), campaign=campaign, note=request.POST.get("note", "")[:1000])
    except Conflict as refusal:
        return _back(request, campaign, str(refusal), messages.ERROR)
    return _back(request, campaign, "The campaign is archived. Its tests count as before.")


def typed(request: HttpRequest, form: type[PlanForm | TestsForm]) -> dict[str, Any]:
    """What the address fills in: links name techniques or an actor, and htmx sends along what is typed so far."""
    several = ("participants", "templates")
    return {
        name: [pk for pk in request.GET.getlist(name) if pk.isdecimal()]
        if name in several
        else request.GET[name][:4000]
        for name in form.base_fields
        if name in request.GET
    }


def _add(form: PlanForm | TestsForm, error: ValidationError) -> None:
    for text in error.messages:
        form.add_error(None, text)


def _back(request: HttpRequest, campaign: Campaign, said: str, level: int = messages.SUCCESS) -> HttpResponse:
    """To the page of the campaign, which says what was done or refused; htmx loads it whole."""
    messages.add_message(request, level, said)
    return HttpResponseClientRedirect(campaign.get_absolute_url()) if is_part(request) else redirect(campaign)


def _of_layer(request: HttpRequest) -> str:
    """The ids of the techniques that the layer in the address marks. Raises Http404 if the visitor may not see it."""
    asked = request.GET.get("layer", "")
    if not asked.isdecimal() or len(asked) > 18:
        return ""
    layer = get_object_or_404(Layer.objects.visible_to(cast(User, request.user)), pk=asked)
    return " ".join(technique.mitre_id for technique in used_techniques(layer))
