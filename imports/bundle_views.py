"""The page of bundles: an admin without a shell uploads one, or takes one along."""

from __future__ import annotations

from typing import Final, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.pages import paginate, render_page
from imports.bundles.handing_out import hand_out
from imports.bundles.taking import take_bundle
from imports.fetchers import FetchError
from imports.models import ImportRun
from imports.queueing import SourceDisabled, machinery
from imports.services import AlreadyRunning
from imports.snapshots import NotKept

CONFLICT: Final = 409


class BundleForm(forms.Form):
    """A bundle, and what shall be done with it."""

    file = forms.FileField(label="Bundle", help_text="The one file that export_bundle wrote.")
    mode = forms.ChoiceField(
        label="Then",
        choices=[("preview", "Show me what would change"), ("import", "Import it")],
        widget=forms.Select(attrs={"class": "select"}),
        help_text="Nothing is written before you apply a preview. An import that would take much away is held all the same.",
    )
    allow_older = forms.BooleanField(required=False, label="Take it although it is older than the last one")


@require_action("source.sync")
@require_http_methods(["GET", "HEAD", "POST"])
def bundle_page(request: HttpRequest) -> HttpResponse:
    """Where bundles are uploaded, and the runs that read one."""
    if request.method != "POST":
        return _page(request, BundleForm(initial={"mode": "preview"}))
    form = BundleForm(request.POST, request.FILES)
    if not form.is_valid():
        words = " ".join(f"{form[name].label}: {' '.join(map(str, errors))}" for name, errors in form.errors.items())
        return _refused(request, form, words, 400)
    try:
        return _taken(request, form)
    except FetchError as error:
        return _refused(request, form, str(error), 400)
    except (AlreadyRunning, SourceDisabled) as error:
        return _refused(request, form, f"Nothing was imported: {error}.", CONFLICT)
    except NotKept as error:
        return _refused(request, form, str(error), 507)


@require_action("source.sync")
@require_POST
def bundle_export(request: HttpRequest) -> HttpResponseBase:
    """A bundle of what was imported here, as a file."""
    try:
        file, name = hand_out(cast(User, request.user))
    except FetchError as error:
        messages.error(request, str(error))
        return redirect("imports:bundle")
    return FileResponse(file, as_attachment=True, filename=name, content_type="application/octet-stream")


def _taken(request: HttpRequest, form: BundleForm) -> HttpResponse:
    given = form.cleaned_data
    dry_run = given["mode"] == "preview"
    asked = {"dry_run": dry_run, "allow_older": given["allow_older"]}
    taken = take_bundle(given["file"].file, given["file"].name, by=cast(User, request.user), trigger="button", **asked)
    what = "preview" if dry_run else "import"
    queued = f"1 {what} is queued" if len(taken.runs) == 1 else f"{len(taken.runs)} {what}s are queued"
    left_out = f" Left out, because disabled here: {', '.join(taken.left_out)}." if taken.left_out else ""
    messages.success(
        request,
        f"The {taken.bundle.name} is signed by {taken.bundle.signed_by}: {queued}.{left_out}",
    )
    if not request.htmx:  # type: ignore[attr-defined]  # django_htmx sets it
        return redirect("imports:bundle")
    return HttpResponse(status=204, headers={"HX-Redirect": reverse("imports:bundle")})


def _refused(request: HttpRequest, form: BundleForm, words: str, status: int) -> HttpResponse:
    if request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(words, status=status, content_type="text/plain")
    return _page(request, form, words, status)


def _page(request: HttpRequest, form: BundleForm, refusal: str = "", status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "refusal": refusal,
        "limit": settings.BUNDLE_MAX_BYTES,
        "keys": len(settings.AEGIS_BUNDLE_KEYS),
        "signs": bool(settings.AEGIS_BUNDLE_SIGNING_KEY),
        "machinery": machinery(),
        "page": paginate(request, _runs()),
    }
    return render_page(request, "imports/bundle.html", context, partial="list", status=status)


def _runs() -> QuerySet[ImportRun]:
    return ImportRun.objects.exclude(given="").select_related("source", "requested_by", "decided_by")
