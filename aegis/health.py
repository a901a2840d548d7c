"""`GET /health`: whether the process answers, for load balancers and container probes."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from aegis.accounts.access import public


@public
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """`{"status": "ok"}`, to everybody; asks nothing of database or cache."""
    return JsonResponse({"status": "ok"})
