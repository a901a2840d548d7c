"""Further figures in the API: backlogs, groups of techniques, time to detect, outcomes, age of proof."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.lib.api import Endpoint
from aegis.lib.listing import refuse_unknown_parameters
from coverage.api.metrics import EXAMPLE, FiguresSerializer
from coverage.figures.backlogs import backlog_numbers
from coverage.figures.groups import by_actor, by_framework, by_platform
from coverage.figures.outcomes import outcomes_by_month, outcomes_by_tactic
from coverage.figures.proof_age import AGES, proof_ages
from coverage.figures.standing import GroupFigures, Standing
from coverage.figures.time_to_detect import times_to_detect

TAGS: Final = ["metrics"]
PERIOD: Final = [
    OpenApiParameter("since", {"type": "string", "format": "date"}, description="Decided on this day (UTC) or later."),
    OpenApiParameter("until", {"type": "string", "format": "date"}, description="Decided on this day (UTC) or before."),
]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Between the two backlogs",
            value={"techniques": 46, "unknown": 4, "undetected": 6, "in_test": 3, "proven": 4, "untested": 29},
        )
    ]
)
class BacklogsSerializer(serializers.Serializer[Any]):
    """Active techniques by where they stand, each in one place: the five add up to `techniques`.

    `undetected` (blue's work): its tests missed, or a template or a test can carry it out and no rule names it. `untested`
    (red's work): a rule names it and no test exists. `in_test`: a rule and tests, none of which has proven it. `proven`: a
    validated test met what it expected. `unknown`: no rule, no template, no test.
    """

    techniques = serializers.IntegerField()
    unknown = serializers.IntegerField()
    undetected = serializers.IntegerField()
    in_test = serializers.IntegerField()
    proven = serializers.IntegerField()
    untested = serializers.IntegerField()


@extend_schema_serializer(
    examples=[OpenApiExample("A platform", value=EXAMPLE.with_percents() | {"key": "Windows", "name": "Windows"})]
)
class GroupSerializer(FiguresSerializer):
    """The figures of a group of techniques: of a platform, of an actor (`key` is its ATT&CK id), of a framework (its slug)."""

    key = serializers.CharField()
    name = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A tactic",
            value={"key": "execution", "name": "Execution", "tests": 9, "median_seconds": 42, "p90_seconds": 300},
        )
    ]
)
class TimeToDetectSerializer(serializers.Serializer[Any]):
    """From the start of a validated test until the defence first saw it. `key` is a tactic, empty for all tests.

    Of the tests that have both times: the median, and the time within which nine tenths were detected (nearest rank).
    """

    key = serializers.CharField(allow_blank=True)
    name = serializers.CharField()
    tests = serializers.IntegerField()
    median_seconds = serializers.IntegerField(allow_null=True)
    p90_seconds = serializers.IntegerField(allow_null=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A tactic",
            value={
                "key": "execution",
                "name": "Execution",
                "tests": 9,
                "prevented": 2,
                "alerted": 4,
                "logged": 1,
                "missed": 1,
                "not_tested": 1,
            },
        )
    ]
)
class OutcomesSerializer(serializers.Serializer[Any]):
    """Validated tests by outcome, which add up to `tests`. `key` is a tactic (empty for all), or a month.

    `not_tested` ones are attested: a lead validated them without a recorded outcome.
    """

    key = serializers.CharField(allow_blank=True)
    name = serializers.CharField()
    tests = serializers.IntegerField()
    prevented = serializers.IntegerField()
    alerted = serializers.IntegerField()
    logged = serializers.IntegerField()
    missed = serializers.IntegerField()
    not_tested = serializers.IntegerField()


@extend_schema_serializer(
    examples=[
        OpenApiExample("A bucket", value={"key": next(iter(AGES)), "name": AGES[next(iter(AGES))], "techniques": 4})
    ]
)
class ProofAgeSerializer(serializers.Serializer[Any]):
    """Active techniques that were last proven so long ago; each is in one bucket."""

    key = serializers.ChoiceField(list(AGES))
    name = serializers.CharField()
    techniques = serializers.IntegerField()


class OutcomesQuery(serializers.Serializer[Any]):
    """What the query string of outcomes may ask."""

    by = serializers.ChoiceField(["tactic", "month"], required=False, default="tactic")
    since = serializers.DateField(required=False, default=None)
    until = serializers.DateField(required=False, default=None)


@require_action("coverage.read")
class MetricsBacklogs(Endpoint):
    """The two backlogs, and what lies between them."""

    @extend_schema(responses=BacklogsSerializer, operation_id="metrics_backlogs", tags=TAGS)
    def get(self, request: Request) -> Response:
        """The two backlogs and what lies between them, as they are now."""
        refuse_unknown_parameters(request, ["format"])
        standing = Standing.now()
        return Response(BacklogsSerializer({"techniques": len(standing.techniques), **backlog_numbers(standing)}).data)


@require_action("coverage.read")
class MetricsByPlatform(Endpoint):
    """Coverage by platform."""

    @extend_schema(responses=GroupSerializer(many=True), operation_id="metrics_by_platform", tags=TAGS)
    def get(self, request: Request) -> Response:
        """One row per platform, most techniques first; a technique counts in each of its platforms."""
        return _groups(request, by_platform(Standing.now()))


@require_action("coverage.read")
class MetricsByActor(Endpoint):
    """Coverage by actor."""

    @extend_schema(responses=GroupSerializer(many=True), operation_id="metrics_by_actor", tags=TAGS)
    def get(self, request: Request) -> Response:
        """One row per active actor: the active techniques that it uses, itself or through a campaign; most first."""
        return _groups(request, by_actor(Standing.now()))


@require_action("coverage.read")
class MetricsByFramework(Endpoint):
    """Coverage by framework."""

    @extend_schema(responses=GroupSerializer(many=True), operation_id="metrics_by_framework", tags=TAGS)
    def get(self, request: Request) -> Response:
        """One row per framework: the techniques that its controls in force are mapped to. A mapping proves nothing."""
        return _groups(request, by_framework(Standing.now()))


@require_action("coverage.read")
class MetricsTimeToDetect(Endpoint):
    """Time to detect."""

    @extend_schema(responses=TimeToDetectSerializer(many=True), operation_id="metrics_time_to_detect", tags=TAGS)
    def get(self, request: Request) -> Response:
        """How fast tests were detected, all tests first, then each tactic in the release's order."""
        refuse_unknown_parameters(request, ["format"])
        rows = [asdict(row) for row in times_to_detect(Standing.now())]
        return Response(TimeToDetectSerializer(rows, many=True).data)


@require_action("coverage.read")
class MetricsOutcomes(Endpoint):
    """How validated tests ended."""

    @extend_schema(
        responses=OutcomesSerializer(many=True),
        operation_id="metrics_outcomes",
        tags=TAGS,
        parameters=[
            OpenApiParameter("by", {"type": "string", "enum": ["tactic", "month"], "default": "tactic"}),
            *PERIOD,
        ],
    )
    def get(self, request: Request) -> Response:
        """How validated tests ended, by tactic with all tests first; or by the month of the decision."""
        refuse_unknown_parameters(request, ["by", "since", "until", "format"])
        asked = OutcomesQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        by, since, until = (asked.validated_data[name] for name in ("by", "since", "until"))
        found = outcomes_by_month(since, until) if by == "month" else outcomes_by_tactic(Standing.now(), since, until)
        rows = [{"key": one.key, "name": one.name, "tests": one.tests, **one.outcomes} for one in found]
        return Response(OutcomesSerializer(rows, many=True).data)


@require_action("coverage.read")
class MetricsProofAge(Endpoint):
    """How long ago techniques were last proven."""

    @extend_schema(responses=ProofAgeSerializer(many=True), operation_id="metrics_proof_age", tags=TAGS)
    def get(self, request: Request) -> Response:
        """Techniques by how long ago they were last proven, the freshest first."""
        refuse_unknown_parameters(request, ["format"])
        ages = proof_ages(Standing.now())
        rows = [{"key": key, "name": label, "techniques": ages[key]} for key, label in AGES.items()]
        return Response(ProofAgeSerializer(rows, many=True).data)


def _groups(request: Request, groups: Iterable[GroupFigures]) -> Response:
    refuse_unknown_parameters(request, ["format"])
    return Response(GroupSerializer([group.with_percents() for group in groups], many=True).data)
