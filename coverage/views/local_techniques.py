"""Pages of techniques of the organisation's own: adding, changing, archiving and restoring one."""

from collections.abc import Callable
from typing import cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.pages import render_page
from catalog.models import Technique
from coverage.services.techniques import (
    Taken,
    archive_technique,
    create_technique,
    edit_technique,
    require_ours,
    restore_technique,
)
from coverage.techniques.form import (
    NewTechniqueForm,
    TechniqueForm,
    next_id,
    next_id_below,
    seen_version,
    written,
)
from coverage.testing.refusals import Conflict, StaleVersion
from coverage.testing.texts import LONGEST


@require_action("technique.edit")
@require_http_methods(["GET", "HEAD", "POST"])
def technique_new(request: HttpRequest) -> HttpResponse:
    """Add a technique. `?parent=` suggests an id below that one."""
    form = NewTechniqueForm(request.POST or None, initial={"mitre_id": _suggested(request.GET.get("parent", ""))})
    if form.is_valid():
        try:
            technique = create_technique(by=cast(User, request.user), **form.values())
        except (Taken, ValidationError) as refusal:
            _add(form, refusal)
        else:
            messages.success(request, f"{technique.mitre_id} is added. Imports leave it as it is.")
            return redirect(technique)
    return render_page(request, "coverage/technique_new.html", {"form": form}, status=400 if form.errors else 200)


@require_action("technique.edit")
@require_http_methods(["GET", "HEAD", "POST"])
def technique_edit(request: HttpRequest, mitre_id: str) -> HttpResponse:
    """Change a technique that was added here; one of ATT&CK is upstream's to change."""
    technique = get_object_or_404(Technique.objects.select_related("parent", "local"), mitre_id=mitre_id)
    form = TechniqueForm(request.POST or None, initial=written(technique), parent=technique.parent)
    try:
        require_ours(technique)
        if form.is_valid():
            edit_technique(
                by=cast(User, request.user),
                technique=technique,
                changes=form.values(),
                version=seen_version(request.POST),
            )
            return _back(request, technique, f"{technique.mitre_id} is changed.")
    except StaleVersion as refusal:
        form.add_error(None, f"{refusal} What you wrote is below, and was not saved.")
        return _edited(request, technique, form, 409)
    except Conflict as refusal:
        return _back(request, technique, str(refusal), messages.ERROR)
    except ValidationError as refusal:
        _add(form, refusal)
    return _edited(request, technique, form, 400 if form.errors else 200)


def _edited(request: HttpRequest, technique: Technique, form: TechniqueForm, status: int) -> HttpResponse:
    context = {"form": form, "technique": technique, "version": seen_version(request.POST) or technique.local.version}
    return render_page(request, "coverage/technique_edit.html", context, status=status)


@require_action("technique.edit")
@require_POST
def technique_archive(request: HttpRequest, mitre_id: str) -> HttpResponse:
    """Put a technique that was added here away."""
    return _moved(request, mitre_id, archive_technique, "is archived. Its tests are kept.")


@require_action("technique.edit")
@require_POST
def technique_restore(request: HttpRequest, mitre_id: str) -> HttpResponse:
    """Bring an archived technique back."""
    return _moved(request, mitre_id, restore_technique, "is back, with its tests.")


def _moved(request: HttpRequest, mitre_id: str, service: Callable[..., Technique], said: str) -> HttpResponse:
    technique = get_object_or_404(Technique, mitre_id=mitre_id)
    try:
        words = {"note": request.POST.get("note", "")[:LONGEST], "version": seen_version(request.POST)}
        service(by=cast(User, request.user), technique=technique, **words)
    except Conflict as refusal:
        return _back(request, technique, str(refusal), messages.ERROR)
    return _back(request, technique, f"{technique.mitre_id} {said}")


def _back(request: HttpRequest, technique: Technique, said: str, level: int = messages.SUCCESS) -> HttpResponse:
    messages.add_message(request, level, said)
    return redirect(technique)


def _suggested(parent: str) -> str:
    """An id for a new technique: below `parent` if that is one."""
    above = Technique.objects.active().parents().filter(mitre_id=parent.upper()).first() if parent else None
    return next_id_below(above) if above else next_id()


def _add(form: forms.Form, refusal: Taken | ValidationError) -> None:
    """Say what is wrong beside the field that it is about."""
    found = {"mitre_id": [str(refusal)]} if isinstance(refusal, Taken) else refusal.message_dict
    for field, texts in found.items():
        for text in texts:
            form.add_error(field if field in form.fields else None, text)
