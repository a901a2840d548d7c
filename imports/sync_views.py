"""What admins send from the pages of sources: sync, preview, cancel, schedule; and how far a run is, for whoever looks."""

from __future__ import annotations

from typing import cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from imports.life import cancel_run
from imports.models import DataSource, ImportRun
from imports.queueing import SourceDisabled, queue_all, queue_import
from imports.schedule import LONGEST_SCHEDULE, change_source
from imports.services import AlreadyRunning, UnknownSource
from imports.source_state import CHOICES, cadence, hours_of


class ScheduleForm(forms.Form):
    """Whether a source is synced, and how often by itself."""

    enabled = forms.BooleanField(required=False)
    schedule_hours = forms.TypedChoiceField(
        coerce=int, empty_value=None, required=False, widget=forms.Select(attrs={"class": "select"})
    )

    @classmethod
    def of(cls, source: DataSource, data: object = None) -> ScheduleForm:
        """The form with the schedules to choose from; one that is set already is among them."""
        now = hours_of(source.every)
        form = cls(data, initial={"enabled": source.enabled, "schedule_hours": now})  # type: ignore[arg-type]
        known = dict(CHOICES) if now is None or source.every is None else {now: cadence(source.every)} | dict(CHOICES)
        choices = [(hours, words.capitalize()) for hours, words in sorted(known.items()) if hours <= LONGEST_SCHEDULE]
        cast(forms.ChoiceField, form.fields["schedule_hours"]).choices = [("", "Only by hand"), *choices]
        return form


@require_action("source.sync")
@require_POST
def source_sync(request: HttpRequest, slug: str) -> HttpResponse:
    """Queue an import of a source, or a preview of it, and show how it goes."""
    source = get_object_or_404(DataSource, slug=slug)
    dry_run = bool(request.POST.get("dry_run"))
    try:
        run = queue_import(slug, by=cast(User, request.user), trigger="button", dry_run=dry_run)
    except (AlreadyRunning, SourceDisabled, UnknownSource) as error:
        messages.warning(request, f"Not started: {error}.")
        return redirect(source)
    return redirect("imports:source-list") if request.POST.get("stay") else redirect(run)


@require_action("source.sync")
@require_POST
def source_sync_all(request: HttpRequest) -> HttpResponse:
    """Queue an import of every enabled source that has none under way, and say which were left out and why."""
    asked = queue_all(by=cast(User, request.user), trigger="button")
    left_out = ", ".join(f"{one.source} ({one.reason})" for one in asked.left_out)
    rest = f" Left out: {left_out}." if left_out else ""
    if asked.queued:
        names = ", ".join(str(run.source) for run in asked.queued)
        messages.success(
            request, f"Queued {len(asked.queued)} of {len(asked.queued) + len(asked.left_out)}: {names}.{rest}"
        )
    else:
        messages.warning(request, f"Nothing was queued.{rest}")
    return redirect("imports:source-list")


@require_action("source.manage")
@require_POST
def source_schedule(request: HttpRequest, slug: str) -> HttpResponse:
    """Enable or disable a source, and say how often it is synced."""
    source = get_object_or_404(DataSource, slug=slug)
    form = ScheduleForm.of(source, request.POST)
    if form.is_valid():
        change_source(source, **form.cleaned_data)
        messages.success(request, "The schedule is saved.")
    else:
        messages.error(request, "Not saved: choose one of the schedules of the list.")
    return redirect(source)


@require_action("source.sync")
@require_POST
def run_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a run to end."""
    run = get_object_or_404(ImportRun, pk=pk)
    if cancel_run(run):
        messages.info(request, "The run is asked to end. Nothing of it is stored.")
    else:
        messages.warning(request, "The run had ended already.")
    return redirect(run)


@require_action("source.read")
@require_safe
def run_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far a run is. It asks to be fetched again while the run goes on; then the page around it is loaded anew."""
    run = get_object_or_404(ImportRun.objects.select_related("source"), pk=pk)
    if not request.htmx:  # type: ignore[attr-defined]  # django_htmx sets it
        return redirect(run)
    response = render(request, "imports/progress.html", {"run": run})
    if run.status not in ImportRun.ACTIVE:
        response["HX-Refresh"] = "true"
    return response
