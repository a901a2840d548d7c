"""Deciding about runs on their pages, and the history of changes: over all runs as a list, of one run as CSV."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.csv_cells import csv_lines
from aegis.lib.pages import paginate, render_page
from imports.decision_pages import choices
from imports.decisions import discard, request_apply, request_undo
from imports.filters import ChangeFilter, ImportChangeFilter
from imports.models import ImportChange, ImportRun
from imports.row_pages import kind_name, shown_changes_of_all
from imports.services import AlreadyRunning
from imports.standing import NotPossible

COLUMNS: Final = ("change", "kind of row", "key", "name", "file", "field", "before", "after")


@require_action("source.sync")
@require_POST
def run_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Apply what a preview or a held run showed; leads to the run that does."""
    return _asked(request, _run(pk), request_apply)


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
def change_list(request: HttpRequest) -> HttpResponse:
    """What all applied runs changed, the newest first: when did a row change?"""
    changes = ImportChange.objects.applied().select_related("run__source").order_by("-pk")
    filterset = ChangeFilter(request.GET, changes)
    labels = ImportChange.objects.order_by("model").values_list("model", flat=True).distinct()
    filterset.form.fields["model"].widget.choices = [("", "Any"), *((label, kind_name(label)) for label in labels)]
    page = paginate(request, filterset.qs)
    context = {"filterset": filterset, "page": page, "changes": shown_changes_of_all(page.object_list)}
    return render_page(request, "imports/change_list.html", context, partial="list")


@require_action("source.read")
@require_safe
def run_changes_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The changes of a run as CSV, a line for each field; with the filters of its page."""
    run = _run(pk)
    changes = ImportChangeFilter(request.GET, run.changes.all()).qs
    response = StreamingHttpResponse(csv_lines(_table(changes)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="aegis-run-{run.pk}-{run.source.slug}.csv"'
    return response


def _table(changes: QuerySet[ImportChange]) -> Iterator[Iterable[Any]]:
    yield COLUMNS
    for change in changes.iterator(chunk_size=500):
        row = (change.kind, kind_name(change.model), change.key, change.name, change.path)
        for name, (before, after) in sorted(change.changed.items()):
            yield *row, name, _text(before), _text(after)
        if not change.changed:
            yield *row, "", "", ""


def _text(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _asked(request: HttpRequest, run: ImportRun, ask: Callable[..., ImportRun]) -> HttpResponse:
    try:
        return redirect(ask(run, by=cast(User, request.user), trigger="button"))
    except (NotPossible, AlreadyRunning) as error:
        messages.error(request, str(error))
        return redirect(run)


def _run(pk: int) -> ImportRun:
    return get_object_or_404(ImportRun.objects.select_related("source", "requested_by", "decided_by"), pk=pk)
