"""Reports: the list of them, the executive one, and that of a campaign: pages that print well, documents, and their annex."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.audit.recording import Subject, record
from aegis.lib.exports import Table, as_csv
from aegis.lib.list_files import csv_file, described, xlsx_file
from aegis.lib.pages import paginate, render_page
from coverage.gaps.query import GapForm, known_actors
from coverage.gaps.ranking import GapFacts, ranked_gaps
from coverage.list_tables import GAPS
from coverage.models import Campaign
from coverage.models.test import TestQuerySet
from coverage.reports.annex import ANNEX, with_annex
from coverage.reports.campaign import campaign_report
from coverage.reports.context import Words, campaign_words, executive_words
from coverage.reports.docx import DOCX, TemplateFault, filled
from coverage.reports.executive import HEIGHT, WIDTH, executive_report, validated_in
from coverage.reports.period import PeriodForm
from coverage.reports.words import DEFINITIONS

KINDS = ("docx", "csv", "xlsx")
GAPS_CSV = "gaps.csv"
"""`?export=` of the gaps of the executive report; the workbook has them as a sheet."""


@require_action("coverage.read")
@require_safe
def report_list(request: HttpRequest) -> HttpResponse:
    """What can be reported: the whole, and each campaign that is not archived."""
    return render_page(request, "coverage/report_list.html", {"page": paginate(request, Campaign.objects.live())})


@require_action("coverage.read")
@require_safe
def executive(request: HttpRequest) -> HttpResponseBase:
    """One page for the board. `since` and `until` choose the period, `actor` and `sector` whose techniques weigh most.

    `?export=docx` is the report as a document, `csv` and `xlsx` its annex; `gaps.csv` are the gaps with their owners, a sheet
    of the workbook too.
    """
    known = known_actors()
    period_form, gap_form = PeriodForm(request.GET), GapForm(request.GET, known)
    period, query = period_form.period, gap_form.query
    days = urlencode({"since": period.since.isoformat(), "until": period.until.isoformat()})
    address = request.build_absolute_uri(f"?{'&'.join(filter(None, (days, query.address)))}")
    wrong = [*period_form.errors.values(), *gap_form.errors.values()]
    if not wrong and request.GET.get("export") in (*KINDS, GAPS_CSV):
        about = Subject("report", "executive", f"Executive report, {period.since} to {period.until}")
        if request.GET["export"] == "docx":
            report = executive_report(period, query, known)
            return _document(request, "executive", about, executive_words(report, address))
        gaps = ranked_gaps(GapFacts.now(query, known), query) if request.GET["export"] != "csv" else []
        if request.GET["export"] == GAPS_CSV:
            _recorded(request, about)
            return csv_file(_file_name("executive-gaps", "csv"), as_csv(GAPS, gaps))
        return _annex(request, "executive", about, validated_in(period), {GAPS: gaps})
    context = {
        "report": executive_report(period, query, known),
        "errors": [text for texts in wrong for text in texts],
        "query": query,
        "address": address,
        "width": WIDTH,
        "height": HEIGHT,
        "definitions": DEFINITIONS,
        "gaps_csv": GAPS_CSV,
    }
    return render_page(request, "coverage/report_executive.html", context, status=400 if wrong else 200)


@require_action("coverage.read")
@require_safe
def campaign(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The report of one campaign; `?export=docx` is it as a document, `csv` and `xlsx` its annex."""
    found = get_object_or_404(Campaign.objects.select_related("actor", "retest_of", "created_by"), pk=pk)
    address = request.build_absolute_uri(request.path)
    name = f"campaign-{found.pk}"
    if request.GET.get("export") == "docx":
        return _document(request, name, found, campaign_words(campaign_report(found), address), template="campaign")
    if request.GET.get("export") in KINDS:
        return _annex(request, name, found, found.tests.live().in_campaign_order())
    context = {"report": campaign_report(found), "address": address, "definitions": DEFINITIONS}
    return render_page(request, "coverage/report_campaign.html", context)


def _document(
    request: HttpRequest, name: str, about: Model | Subject, words: Words, template: str = ""
) -> HttpResponseBase:
    """The report as a Word document; back to its page, which says why, where the template is at fault."""
    try:
        content = filled(template or name, words)
    except TemplateFault as fault:
        messages.error(request, str(fault))
        return redirect(_without_export(request))
    _recorded(request, about)
    response = HttpResponse(content, content_type=DOCX)
    response["Content-Disposition"] = f'attachment; filename="{_file_name(name, "docx")}"'
    return response


def _annex(
    request: HttpRequest,
    name: str,
    about: Model | Subject,
    tests: TestQuerySet,
    more: Mapping[Table, Iterable[Any]] | None = None,
) -> HttpResponseBase:
    """The tests of a report with their hashes, all of them; a workbook has a sheet for each of `more` too."""
    _recorded(request, about)
    kind, rows = request.GET["export"], with_annex(tests)
    file = _file_name(f"{name}-annex", kind)
    return (
        csv_file(file, as_csv(ANNEX, rows))
        if kind == "csv"
        else xlsx_file(file, ANNEX, rows, {**described(request, ANNEX), "Report": _named(about)}, more)
    )


def _recorded(request: HttpRequest, about: Model | Subject) -> None:
    asked: dict[str, Any] = {name: values for name, values in request.GET.lists() if name != "export" and any(values)}
    record(request.user, "report.exported", about, after={"format": request.GET["export"], "filters": asked})


def _named(about: Model | Subject) -> str:
    return about.label if isinstance(about, Subject) else str(about)


def _file_name(name: str, kind: str) -> str:
    return f"aegis-{name}-{timezone.now():%Y-%m-%d}.{kind}"


def _without_export(request: HttpRequest) -> str:
    asked = request.GET.copy()
    del asked["export"]
    return f"{request.path}?{asked.urlencode()}" if asked else request.path
