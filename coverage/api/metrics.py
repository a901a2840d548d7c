"""Figures in the API."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.lib.api import Endpoint
from coverage.by_tactic import coverage_by_tactic
from coverage.summary import coverage_summary


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Summary",
            value={
                "release": "enterprise-attack 18.1",
                "techniques": 691,
                "claimed": 512,
                "claimed_percent": 74.1,
                "testable": 330,
                "templates": 2505,
                "rules": 5292,
                "actors": 172,
                "defences": 248,
                "controls": 1836,
                "as_of": "2026-01-02T03:04:05Z",
            },
        )
    ]
)
class SummarySerializer(serializers.Serializer[Any]):
    """What is current. `claimed` techniques are named by a live rule, `testable` ones have a test template.

    A claim says that something exists, never that it works.
    """

    release = serializers.CharField()
    techniques = serializers.IntegerField()
    claimed = serializers.IntegerField()
    claimed_percent = serializers.FloatField()
    testable = serializers.IntegerField()
    templates = serializers.IntegerField()
    rules = serializers.IntegerField()
    actors = serializers.IntegerField()
    defences = serializers.IntegerField()
    controls = serializers.IntegerField()
    as_of = serializers.SerializerMethodField()

    def get_as_of(self, summary: Any) -> str:
        """When it was counted: now."""
        return timezone.now().isoformat(timespec="seconds")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A tactic",
            value={
                "mitre_id": "TA0002",
                "tactic": "execution",
                "name": "Execution",
                "techniques": 46,
                "claimed": 38,
                "testable": 29,
            },
        )
    ]
)
class TacticSummarySerializer(serializers.Serializer[Any]):
    """One tactic; a technique of several tactics counts in each."""

    mitre_id = serializers.CharField()
    tactic = serializers.CharField()
    name = serializers.CharField()
    techniques = serializers.IntegerField()
    claimed = serializers.IntegerField()
    testable = serializers.IntegerField()


@require_action("coverage.read")
class MetricsSummary(Endpoint):
    """Coverage and catalogue in figures."""

    @extend_schema(responses=SummarySerializer, operation_id="metrics_summary", tags=["metrics"])
    def get(self, request: Request) -> Response:
        """The figures as they are now."""
        return Response(SummarySerializer(coverage_summary()).data)


@require_action("coverage.read")
class MetricsByTactic(Endpoint):
    """Coverage by tactic."""

    @extend_schema(responses=TacticSummarySerializer(many=True), operation_id="metrics_by_tactic", tags=["metrics"])
    def get(self, request: Request) -> Response:
        """One row per tactic, in the release's order."""
        return Response(TacticSummarySerializer(coverage_by_tactic(), many=True).data)
