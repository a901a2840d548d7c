"""The next best campaign in the API."""

from dataclasses import asdict
from typing import Any, Final

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.lib.api import Endpoint
from coverage.api.gaps import CHOICE, gap_query
from coverage.gaps.next_campaign import CampaignPlan, PlanFacts, next_campaign
from coverage.gaps.query import MOST_TESTS, USUAL_TESTS, known_actors

EXAMPLE: Final = {
    "release": "enterprise-attack 18.1",
    "as_of": "2026-01-02T03:04:05Z",
    "budget": 10,
    "before": 12.5,
    "after": 25.0,
    "open_tests": 1,
    "left": 4,
    "picks": [
        {
            "mitre_id": "T1059.001",
            "name": "PowerShell",
            "actors": 1,
            "gain": 12.5,
            "template": {"id": 7, "name": "Run a script", "source": "atomic"},
        }
    ],
    "actors": [{"mitre_id": "G0007", "name": "An actor", "techniques": 8, "before": 1, "after": 2}],
}


class RecipeSerializer(serializers.Serializer[Any]):
    """The template to start from."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # the framework's own `source` is on instances


class PickSerializer(serializers.Serializer[Any]):
    """One test. `gain`: the points of percent that it adds; without a template its procedure is to be written."""

    mitre_id = serializers.CharField()
    name = serializers.CharField()
    actors = serializers.IntegerField()
    gain = serializers.FloatField()
    template = RecipeSerializer(allow_null=True)


class ActorLineSerializer(serializers.Serializer[Any]):
    """An actor's active techniques: all, proven now, and proven if every test meets what it expects."""

    mitre_id = serializers.CharField()
    name = serializers.CharField()
    techniques = serializers.IntegerField()
    before = serializers.IntegerField()
    after = serializers.IntegerField()


@extend_schema_serializer(examples=[OpenApiExample("A plan", value=EXAMPLE)])
class CampaignPlanSerializer(serializers.Serializer[Any]):
    """A plan. `before` and `after`: the mean share of proven techniques of the chosen actors, in percent.

    `open_tests` techniques are left out because a test of them is under way, `left` ones because the budget ended.
    """

    release = serializers.CharField()
    as_of = serializers.DateTimeField()
    budget = serializers.IntegerField()
    before = serializers.FloatField()
    after = serializers.FloatField()
    open_tests = serializers.IntegerField()
    left = serializers.IntegerField()
    picks = PickSerializer(many=True)
    actors = ActorLineSerializer(many=True)


@require_action("coverage.read")
class MetricsNextCampaign(Endpoint):
    """The tests that would raise the proven coverage of actors most."""

    @extend_schema(
        responses=CampaignPlanSerializer,
        operation_id="metrics_next_campaign",
        tags=["metrics"],
        parameters=[
            *CHOICE,
            OpenApiParameter(
                "tests",
                {"type": "integer", "minimum": 1, "maximum": MOST_TESTS, "default": USUAL_TESTS},
                description="How many tests at most.",
            ),
        ],
    )
    def get(self, request: Request) -> Response:
        """The best plan of at most `tests` tests for the chosen actors, all active ones unless chosen.

        `POST /campaigns` with its templates and techniques plans it.
        """
        known = known_actors()
        query = gap_query(request, known, ("actor", "sector", "tests", "format"))
        plan = next_campaign(PlanFacts.now(query, known), query)
        return Response(CampaignPlanSerializer(described(plan)).data)


def described(plan: CampaignPlan) -> dict[str, Any]:
    """A plan as its serializer reads it."""
    return {
        "release": plan.release,
        "as_of": timezone.now(),
        "budget": plan.query.tests,
        "before": plan.before,
        "after": plan.after,
        "open_tests": plan.open_tests,
        "left": plan.left,
        "picks": [asdict(pick) for pick in plan.picks],
        "actors": [asdict(line) for line in plan.lines],
    }
