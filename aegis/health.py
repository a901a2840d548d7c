"""`/health` and `/health/ready`: for load balancers and container probes, which know no name of the site and no login."""

from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from aegis.accounts.access import public
from imports.readiness import NEEDED, shared


@public
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """`{"status": "ok"}`, to everybody; asks nothing of database or cache."""
    return JsonResponse({"status": "ok"})


@public
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 `ready` or 503 `not ready`, within five seconds. What is broken is told to those who hold the token."""
    found = shared.findings()
    is_ready = all(finding.is_well for finding in found if finding.name in NEEDED)
    told: dict[str, Any] = {"status": "ready" if is_ready else "not ready"}
    if holds_token(request):
        told["checks"] = {finding.name: finding.trouble or "well" for finding in found}
    return JsonResponse(told, status=200 if is_ready else 503, headers={} if is_ready else {"Retry-After": "10"})


def holds_token(request: HttpRequest) -> bool:
    """Whether the request carries `Authorization: Bearer <AEGIS_METRICS_TOKEN>`. Nobody does where none is set."""
    given = request.headers.get("Authorization", "").encode()
    return bool(settings.METRICS_TOKEN) and compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode())
