"""Assessment results of a framework as a file."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from compliance.models import ComplianceFramework
from coverage.oscal.facts import NothingProven
from coverage.services.oscal import Export, export_results


@require_action("coverage.read")
@require_safe
def assessment_results(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The document in OSCAL; back to the framework's page, which says why, where there is nothing to tell."""
    framework = get_object_or_404(ComplianceFramework, slug=slug)
    try:
        return file_of(export_results(cast(User, request.user), framework))
    except NothingProven as error:
        messages.info(request, str(error))
        return redirect("compliance:framework-detail", slug)


def file_of(export: Export) -> StreamingHttpResponse:
    """The answer that a browser saves, sent as it is read."""
    headers = {"Content-Disposition": f'attachment; filename="{export.file_name}"'}
    return StreamingHttpResponse(export.pieces, content_type="application/json", headers=headers)
