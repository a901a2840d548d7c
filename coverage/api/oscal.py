"""Assessment results in OSCAL."""

from typing import Final

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from aegis.accounts.access import require_action
from aegis.lib.listing import refuse_unknown_parameters
from compliance.models import ComplianceFramework
from coverage.api.base import WorkEndpoint, visitor
from coverage.services.oscal import export_results
from coverage.views.oscal import file_of

EXAMPLE: Final = {
    "assessment-results": {
        "uuid": "4a3e4c5e-0b0f-5d7c-8a3b-3f0f6a2b8c11",
        "metadata": {"title": "Tests of techniques", "oscal-version": "1.1.3"},
        "results": [{"findings": [{"target": {"type": "objective-id", "status": {"state": "satisfied"}}}]}],
    }
}


@require_action("coverage.read")
class AssessmentResults(WorkEndpoint):
    """What tests have shown for the controls of one framework."""

    @extend_schema(
        tags=["compliance"],
        operation_id="compliance_frameworks_oscal",
        responses={
            200: OpenApiTypes.OBJECT,
            409: OpenApiResponse(description="No validated test stands behind a control of it yet."),
        },
        examples=[OpenApiExample("Assessment results, cut short", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, slug: str) -> StreamingHttpResponse:
        """Assessment results of a framework in OSCAL 1.1.3: control, technique, test, and the SHA-256 of its evidence.

        An objective is satisfied where validated tests of the technique met what they expect and none missed it. What was not
        tested has no finding: that a control is mapped to a technique proves nothing.
        """
        refuse_unknown_parameters(request, ["format"])
        return file_of(export_results(visitor(request), get_object_or_404(ComplianceFramework, slug=slug)))
