"""Figures of techniques in the API: of all, and of each tactic."""

from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.lib.api import Endpoint
from coverage.figures.standing import FIGURES, GroupFigures, Standing
from coverage.figures.summary import coverage_summary

EXAMPLE: Final = GroupFigures(
    key="execution",
    name="Execution",
    techniques=46,
    claimed=38,
    testable=29,
    validated=5,
    partial=3,
    in_progress=2,
    not_covered=36,
    proven=4,
    proven_gaps=1,
)


class FiguresSerializer(serializers.Serializer[Any]):
    """Numbers of active techniques, and their shares in percent.

    `claimed`: a live detection rule names it; that says that something exists, never that it works. `testable`: a test template
    exists. `proven`: a validated test of its own met what it expected. `proven_gaps`: all its validated tests missed.
    `validated`, `partial`, `in_progress` and `not_covered` are the status by tests, sub-techniques taken in; they add up to
    `techniques`.
    """

    techniques = serializers.IntegerField()
    claimed = serializers.IntegerField()
    testable = serializers.IntegerField()
    validated = serializers.IntegerField()
    partial = serializers.IntegerField()  # type: ignore[assignment]  # the framework's own `partial` is on instances
    in_progress = serializers.IntegerField()
    not_covered = serializers.IntegerField()
    proven = serializers.IntegerField()
    proven_gaps = serializers.IntegerField()
    claimed_percent = serializers.FloatField()
    testable_percent = serializers.FloatField()
    validated_percent = serializers.FloatField()
    partial_percent = serializers.FloatField()
    in_progress_percent = serializers.FloatField()
    not_covered_percent = serializers.FloatField()
    proven_percent = serializers.FloatField()
    proven_gaps_percent = serializers.FloatField()


def example() -> dict[str, Any]:
    """The figures of the example, without its name."""
    figures = EXAMPLE.with_percents()
    return {name: figures[name] for name in (*FIGURES, *(f"{name}_percent" for name in FIGURES[1:]))}


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Summary",
            value={
                **example(),
                "release": "enterprise-attack 18.1",
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
class SummarySerializer(FiguresSerializer):
    """What is current. A claim says that something exists, never that it works: what is `proven` does."""

    release = serializers.CharField()
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
            "A tactic", value={**example(), "mitre_id": "TA0002", "tactic": "execution", "name": "Execution"}
        )
    ]
)
class TacticSummarySerializer(FiguresSerializer):
    """One tactic; a technique of several tactics counts in each."""

    mitre_id = serializers.CharField()
    tactic = serializers.CharField()
    name = serializers.CharField()


@require_action("coverage.read")
class MetricsSummary(Endpoint):
    """Coverage and catalogue in figures."""

    @extend_schema(responses=SummarySerializer, operation_id="metrics_summary", tags=["metrics"])
    def get(self, request: Request) -> Response:
        """Coverage in figures, as they are now."""
        summary = coverage_summary()
        row = {"release": summary.release, **summary.holdings, **summary.whole.with_percents()}
        return Response(SummarySerializer(row).data)


@require_action("coverage.read")
class MetricsByTactic(Endpoint):
    """Coverage by tactic."""

    @extend_schema(responses=TacticSummarySerializer(many=True), operation_id="metrics_by_tactic", tags=["metrics"])
    def get(self, request: Request) -> Response:
        """One row per tactic that has active techniques, in the release's order."""
        standing = Standing.now()
        rows = [
            {"mitre_id": tactic.mitre_id, "tactic": tactic.shortname, **figures.with_percents()}
            for tactic, figures in zip(standing.tactics, standing.by_tactic, strict=True)
        ]
        return Response(TacticSummarySerializer(rows, many=True).data)
