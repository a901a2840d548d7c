"""Looking at a technique again."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from catalog.models import Technique
from coverage.services.review import review_technique


@require_action("technique.review")
@require_POST
def mark_reviewed(request: HttpRequest, mitre_id: str) -> HttpResponse:
    """Take down the flag of a technique."""
    technique = get_object_or_404(Technique, mitre_id=mitre_id)
    review_technique(by=cast(User, request.user), technique=technique)
    messages.success(request, f"{technique.mitre_id} is marked as reviewed.")
    return redirect(technique)
