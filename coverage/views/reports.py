"""Reports: the list of them, the executive one, and that of a campaign. All are pages that print well."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.pages import paginate, render_page
from coverage.campaign_report import campaign_report
from coverage.executive_report import HEIGHT, WIDTH, executive_report
from coverage.gap_query import GapForm, known_actors
from coverage.models import Campaign
from coverage.report_period import PeriodForm


@require_action("coverage.read")
@require_safe
def report_list(request: HttpRequest) -> HttpResponse:
    """What can be reported: the whole, and each campaign that is not archived."""
    return render_page(request, "coverage/report_list.html", {"page": paginate(request, Campaign.objects.live())})


@require_action("coverage.read")
@require_safe
def executive(request: HttpRequest) -> HttpResponse:
    """One page for the board. `since` and `until` choose the period, `actor` and `sector` whose techniques weigh most."""
    known = known_actors()
    period_form, gap_form = PeriodForm(request.GET), GapForm(request.GET, known)
    period, query = period_form.period, gap_form.query
    days = urlencode({"since": period.since.isoformat(), "until": period.until.isoformat()})
    wrong = [*period_form.errors.values(), *gap_form.errors.values()]
    context = {
        "report": executive_report(period, query, known),
        "errors": [text for texts in wrong for text in texts],
        "query": query,
        "address": request.build_absolute_uri(f"?{'&'.join(filter(None, (days, query.address)))}"),
        "width": WIDTH,
        "height": HEIGHT,
    }
    return render_page(request, "coverage/report_executive.html", context, status=400 if wrong else 200)


@require_action("coverage.read")
@require_safe
def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """The report of one campaign."""
    found = get_object_or_404(Campaign.objects.select_related("actor", "retest_of", "created_by"), pk=pk)
    context = {"report": campaign_report(found), "address": request.build_absolute_uri(request.path)}
    return render_page(request, "coverage/report_campaign.html", context)
