"""Figures in the API."""

from dataclasses import asdict
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.lib.api import Endpoint
from coverage.figures.by_tactic import coverage_by_tactic
from coverage.figures.statuses import StatusFigures, figures_by_tactic, figures_of, status_figures
from coverage.figures.summary import coverage_summary

NOTHING: Final = figures_of((), {})
STATUS_EXAMPLE: Final = StatusFigures(
    techniques=46, validated=5, partial=3, in_progress=2, not_covered=36, proven=4
).with_percents()


class StatusFiguresSerializer(serializers.Serializer[Any]):
    """Techniques by status, and those that are proven: counts, and shares of all in percent."""

    techniques = serializers.IntegerField()
    validated = serializers.IntegerField()
    validated_percent = serializers.FloatField()
    partial = serializers.IntegerField()  # type: ignore[assignment]  # the framework's own `partial` is on instances
    partial_percent = serializers.FloatField()
    in_progress = serializers.IntegerField()
    in_progress_percent = serializers.FloatField()
    not_covered = serializers.IntegerField()
    not_covered_percent = serializers.FloatField()
    proven = serializers.IntegerField()
    proven_percent = serializers.FloatField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Summary",
            value={
                **STATUS_EXAMPLE,
                "release": "enterprise-attack 18.1",
                "claimed": 38,
                "claimed_percent": 82.6,
                "testable": 29,
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
class SummarySerializer(StatusFiguresSerializer):
    """What is current. `claimed` techniques are named by a live rule, `testable` ones have a test template.

    A claim says that something exists, never that it works: what is `proven` does.
    """

    release = serializers.CharField()
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
                **STATUS_EXAMPLE,
                "mitre_id": "TA0002",
                "tactic": "execution",
                "name": "Execution",
                "claimed": 38,
                "testable": 29,
            },
        )
    ]
)
class TacticSummarySerializer(StatusFiguresSerializer):
    """One tactic; a technique of several tactics counts in each."""

    mitre_id = serializers.CharField()
    tactic = serializers.CharField()
    name = serializers.CharField()
    claimed = serializers.IntegerField()
    testable = serializers.IntegerField()


@require_action("coverage.read")
class MetricsSummary(Endpoint):
    """Coverage and catalogue in figures."""

    @extend_schema(responses=SummarySerializer, operation_id="metrics_summary", tags=["metrics"])
    def get(self, request: Request) -> Response:
        """Coverage in figures, as they are now."""
        summary = coverage_summary()
        claimed = asdict(summary) | {"claimed_percent": summary.claimed_percent}
        return Response(SummarySerializer(claimed | status_figures().with_percents()).data)


@require_action("coverage.read")
class MetricsByTactic(Endpoint):
    """Coverage by tactic."""

    @extend_schema(responses=TacticSummarySerializer(many=True), operation_id="metrics_by_tactic", tags=["metrics"])
    def get(self, request: Request) -> Response:
        """One row per tactic, in the release's order."""
        figures = figures_by_tactic()
        rows = [asdict(row) | figures.get(row.tactic, NOTHING).with_percents() for row in coverage_by_tactic()]
        return Response(TacticSummarySerializer(rows, many=True).data)
