"""Deciding about runs on their pages, and the history of changes: over all runs as a list, of one run as CSV."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.exports import as_csv
from aegis.lib.list_files import csv_file, exported, told
from aegis.lib.pages import paginate, render_page
from imports.decision_pages import choices
from imports.decisions import discard, request_again, request_apply, request_undo
from imports.exports import ALL_CHANGES, CHANGES, change_lines, lines_of_all
from imports.filters import ChangeFilter, ImportChangeFilter
from imports.models import ImportChange, ImportRun
from imports.row_pages import kind_name, shown_changes_of_all
from imports.services import AlreadyRunning
from imports.standing import NotPossible


@require_action("source.sync")
@require_POST
def run_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Apply what a preview or a held run showed; leads to the run that does."""
    return _asked(request, _run(pk), request_apply)


@require_action("source.sync")
@require_POST
def run_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Preview once more what a bundle brought; leads to the run that does."""
    return _asked(request, _run(pk), request_again)


@require_action("source.sync")
@require_http_methods(["GET", "HEAD", "POST"])
def run_undo(request: HttpRequest, pk: int) -> HttpResponse:
    """What it would do to take back a run; by POST it is done, and leads to the run that does it."""
    run = _run(pk)
    if request.method == "POST":
        return _asked(request, run, request_undo)
    found = choices(run)
    if not found.asks_undo:
        messages.error(request, f"Run {run.pk} cannot be undone: only the last applied run of a source can.")
        return redirect(run)
    return render_page(request, "imports/run_undo.html", {"run": run, "choices": found})


@require_action("source.sync")
@require_POST
def run_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Do not apply what a run showed."""
    run = _run(pk)
    try:
        discard(run, by=cast(User, request.user))
        messages.success(request, f"Run {run.pk} is discarded: the catalogue stays as it is.")
    except NotPossible as error:
        messages.error(request, str(error))
    return redirect(run)


@require_action("source.read")
@require_safe
def change_list(request: HttpRequest) -> HttpResponseBase:
    """What all applied runs changed, the newest first: when did a row change?"""
    changes = ImportChange.objects.applied().select_related("run__source").order_by("-pk")
    filterset = ChangeFilter(request.GET, changes)
    if (file := exported(request, ALL_CHANGES, lines_of_all(filterset.qs))) is not None:
        return file
    labels = ImportChange.objects.order_by("model").values_list("model", flat=True).distinct()
    filterset.form.fields["model"].widget.choices = [("", "Any"), *((label, kind_name(label)) for label in labels)]
    page = paginate(request, filterset.qs)
    context = {"filterset": filterset, "page": page, "changes": shown_changes_of_all(page.object_list)}
    return render_page(request, "imports/change_list.html", context, partial="list")


@require_action("source.read")
@require_safe
def run_changes_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The changes of a run as CSV, a line for each field; with the filters of its page."""
    run = _run(pk)
    changes = ImportChangeFilter(request.GET, run.changes.all()).qs
    told(request, CHANGES, "csv")
    return csv_file(f"aegis-run-{run.pk}-{run.source.slug}.csv", as_csv(CHANGES, change_lines(changes)))


def _asked(request: HttpRequest, run: ImportRun, ask: Callable[..., ImportRun]) -> HttpResponse:
    try:
        return redirect(ask(run, by=cast(User, request.user), trigger="button"))
    except (NotPossible, AlreadyRunning) as error:
        messages.error(request, str(error))
        return redirect(run)


def _run(pk: int) -> ImportRun:
    return get_object_or_404(ImportRun.objects.select_related("source", "requested_by", "decided_by"), pk=pk)
