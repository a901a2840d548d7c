"""Pages of data sources, their runs, and the ids that upstreams use."""

from __future__ import annotations

from collections import Counter

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.pages import paginate, render_page
from catalog.exports import exported
from catalog.models import AttackRelease
from imports.decision_pages import choices
from imports.exports import CHANGES, ISSUES, REFERENCES, RUNS, change_lines
from imports.filters import ImportChangeFilter, ImportRunFilter, PublishedIdFilter
from imports.models import DataSource, ImportIssue, ImportRun
from imports.published_ids import add_examples, by_source, published_ids
from imports.queueing import machinery
from imports.row_pages import kind_name, shown_changes
from imports.services import SOURCE_OF
from imports.source_state import published, source_states, version_url
from imports.store import Tally
from imports.sync_views import ScheduleForm

SHORT = 6
"""Rows of a list that stands beside another."""


@require_action("source.read")
@require_safe
def source_list(request: HttpRequest) -> HttpResponse:
    """All data sources, failed ones first, with what the newest runs did and left open."""
    states = source_states()
    applied = [state.applied for state in states if state.applied]
    ids = published_ids()
    context = {
        "states": states,
        "numbers": Counter("optional" if state.is_optional else "needed" for state in states),
        "machinery": machinery(),
        "due": sum(state.is_due for state in states),
        "sample_data": any(state.row.is_sample for state in states),
        "release": AttackRelease.objects.current().first(),
        "runs": _runs()[:SHORT],
        "issues": ImportIssue.objects.filter(run__in=applied).select_related("run__source")[:SHORT],
        "issue_count": sum(run.issue_count for run in applied),
        "unresolved": by_source(ids),
        "translated": sum(one.technique is not None for one in ids),
    }
    return render_page(request, "imports/source_list.html", context)


@require_action("source.read")
@require_safe
def source_detail(request: HttpRequest, slug: str) -> HttpResponseBase:
    """One data source: what it is, what it holds, what it left open, and all its runs."""
    row = get_object_or_404(DataSource, slug=slug)
    if (file := exported(request, RUNS, _runs().filter(source=row))) is not None:
        return file
    state = source_states([row])[0]
    unresolved = [one for one in published_ids(source=slug) if one.technique is None]
    context = {
        "state": state,
        "machinery": machinery(),
        "schedule": ScheduleForm.of(row),
        "unresolved": unresolved[:SHORT],
        "unresolved_count": len(unresolved),
        "issues": list(state.applied.issues.all()[:SHORT]) if state.applied else [],
        "page": paginate(request, _runs().filter(source=row)),
    }
    return render_page(request, "imports/source_detail.html", context, partial="list")


@require_action("source.read")
@require_safe
def unresolved_list(request: HttpRequest) -> HttpResponseBase:
    """Ids that mean nothing in the current release."""
    return _published_ids(request, translated=False)


@require_action("source.read")
@require_safe
def translated_list(request: HttpRequest) -> HttpResponseBase:
    """Ids that the current release calls otherwise, and what each means now."""
    return _published_ids(request, translated=True)


@require_action("source.read")
@require_safe
def run_list(request: HttpRequest) -> HttpResponseBase:
    """All runs of all sources, the newest first."""
    filterset = ImportRunFilter(request.GET, _runs())
    if (file := exported(request, RUNS, filterset.qs)) is not None:
        return file
    context = {"filterset": filterset, "page": paginate(request, filterset.qs)}
    return render_page(request, "imports/run_list.html", context, partial="list")


@require_action("source.read")
@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What one run did: counts, issues, and every change with its difference."""
    run = _run(pk)
    filterset = ImportChangeFilter(request.GET, run.changes.all())
    if (file := exported(request, CHANGES, change_lines(filterset.qs))) is not None:
        return file
    kinds = {label: kind_name(label) for label in run.kinds}
    filterset.form.fields["model"].widget.choices = [("", "Any"), *kinds.items()]
    page = paginate(request, filterset.qs)
    context = {
        "run": run,
        "machinery": machinery() if run.is_active else None,
        "choices": choices(run),
        "successor": run.applied_by.first() or run.undone_by.filter(status=ImportRun.Status.SUCCEEDED).first(),
        "source": SOURCE_OF.get(run.source.slug),
        "version_url": version_url(SOURCE_OF.get(run.source.slug), run.version),
        "kinds": [(kinds[label], Tally().counts() | counts, published(counts)) for label, counts in run.kinds.items()],
        "issues": run.known_issues[:SHORT],
        "filterset": filterset,
        "page": page,
        "changes": shown_changes(run, page.object_list),
    }
    return render_page(request, "imports/run_detail.html", context, partial="list")


@require_action("source.read")
@require_safe
def run_issues(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Everything that one run skipped, and why."""
    run = _run(pk)
    if (file := exported(request, ISSUES, run.known_issues)) is not None:
        return file
    context = {"run": run, "page": paginate(request, run.known_issues)}
    return render_page(request, "imports/run_issues.html", context, partial="list")


def _runs() -> QuerySet[ImportRun]:
    return ImportRun.objects.select_related("source", "requested_by", "decided_by")


def _run(pk: int) -> ImportRun:
    return get_object_or_404(_runs(), pk=pk)


def _published_ids(request: HttpRequest, *, translated: bool) -> HttpResponseBase:
    filterset = PublishedIdFilter(request.GET, DataSource.objects.none())
    source, search = filterset.asked("source"), filterset.asked("search")
    ids = published_ids(source=source, search=search)
    chosen = [one for one in ids if (one.technique is not None) == translated]
    if (file := exported(request, REFERENCES, chosen)) is not None:
        return file
    page = paginate(request, chosen)
    add_examples(page.object_list, source)
    context = {
        "filterset": filterset,
        "narrowed": bool(source or search),
        "page": page,
        "translated": translated,
        "numbers": Counter("translated" if one.technique else "unresolved" for one in ids),
        "release": AttackRelease.objects.current().first(),
    }
    return render_page(request, "imports/unresolved_list.html", context, partial="list")
