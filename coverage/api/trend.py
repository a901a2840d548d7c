"""Coverage day by day, in the API."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.lib.api import Endpoint
from aegis.lib.filters import LONGEST
from aegis.lib.listing import refuse_unknown_parameters
from coverage.api.metrics import FiguresSerializer, example
from coverage.figures.trend import TrendPoint, trend


class TrendPointSerializer(FiguresSerializer):
    """One day. `new_release`: the day before was counted in another ATT&CK release, which may explain a jump."""

    day = serializers.DateField()
    release = serializers.CharField()
    new_release = serializers.BooleanField()
    taken_at = serializers.DateTimeField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "One day",
            value={
                "tactic": "",
                "results": [
                    {
                        "day": "2026-01-02",
                        "release": "enterprise-attack 18.1",
                        "new_release": False,
                        "taken_at": "2026-01-02T23:04:05Z",
                        **example(),
                    }
                ],
            },
        )
    ]
)
class TrendSerializer(serializers.Serializer[Any]):
    """The days in order. `tactic` is empty for all techniques."""

    tactic = serializers.CharField(allow_blank=True)
    results = TrendPointSerializer(many=True)


class TrendQuery(serializers.Serializer[Any]):
    """What the query string may ask."""

    tactic = serializers.CharField(max_length=LONGEST, required=False, default="", allow_blank=True)
    since = serializers.DateField(required=False, default=None)
    until = serializers.DateField(required=False, default=None)


@require_action("coverage.read")
class MetricsTrend(Endpoint):
    """Coverage day by day."""

    @extend_schema(
        responses=TrendSerializer,
        operation_id="metrics_trend",
        tags=["metrics"],
        parameters=[
            OpenApiParameter(
                "tactic", {"type": "string", "maxLength": LONGEST}, description="Short name of a tactic; all without."
            ),
            OpenApiParameter("since", {"type": "string", "format": "date"}, description="The first day, in UTC."),
            OpenApiParameter("until", {"type": "string", "format": "date"}, description="The last day, in UTC."),
        ],
    )
    def get(self, request: Request) -> Response:
        """The last snapshot of each day. They are taken every hour and after each import, and kept for ever."""
        refuse_unknown_parameters(request, ["tactic", "since", "until", "format"])
        asked = TrendQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        points = [described(point) for point in trend(**asked.validated_data)]
        return Response(TrendSerializer({"tactic": asked.validated_data["tactic"], "results": points}).data)


def described(point: TrendPoint) -> dict[str, Any]:
    """A point as its serializer reads it."""
    row = point.row
    return {"day": row.day, "release": row.release, "new_release": point.new_release, "taken_at": row.taken_at} | (
        point.figures
    )
