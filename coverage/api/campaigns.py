"""Campaigns in the API: plan, look at the progress, change, add tests, repeat, compare two runs."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django.db.models import Count, Q
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.accounts.repeats import repeatable
from aegis.lib.api import ListEndpoint, StrictSerializer, username
from aegis.lib.listing import WHOLE_NUMBER, refuse_unknown_parameters
from catalog.models import Technique, TestTemplate
from coverage.api.base import WorkEndpoint, all_of, given, ids, one_of, unknown, visitor
from coverage.api.shapes import EXAMPLE as TEST_EXAMPLE
from coverage.api.shapes import LISTED, TestSerializer
from coverage.campaigns.results import campaign_progress, compare_runs
from coverage.filters import CampaignFilter
from coverage.models import Campaign
from coverage.services.campaigns import (
    add_tests,
    archive_campaign,
    create_campaign,
    duplicate_as_retest,
    edit_campaign,
)
from coverage.services.writing import permit
from coverage.testing.outcomes import Outcome
from coverage.testing.texts import LONGEST, plausible
from coverage.testing.workflow import State
from intel.models import ThreatActor

AT: Final = "2026-01-02T03:04:05Z"
EXAMPLE: Final = {
    "id": 3,
    "name": "What Example Bear does",
    "goal": "See whether we would notice.",
    "starts_on": "2026-01-02",
    "ends_on": "2026-01-09",
    "actor": "G9001",
    "retest_of": None,
    "participants": ["bert", "maria"],
    "tests_total": 12,
    "created_by": "lena",
    "created_at": AT,
    "updated_at": AT,
    "archived_at": None,
}
PROGRESS_EXAMPLE: Final = {
    "progress": {
        "total": 12,
        "decided": 6,
        "percent": 50,
        "states": {state.value: 3 for state in State},
        "outcomes": {outcome.value: 3 for outcome in Outcome if outcome != Outcome.LOGGED} | {"logged": 0},
        "detected": 3,
        "time_to_detect": 42.0,
    }
}
ROWS: Final = (
    Campaign.objects.select_related("created_by")
    .prefetch_related("participants")
    .annotate(tests_total=Count("tests", Q(tests__archived_at=None)))
    .order_by("-pk")
)


@extend_schema_serializer(examples=[OpenApiExample("A campaign", value=EXAMPLE)])
class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    """A campaign. `tests_total` counts its live tests; users are named by username, the actor by ATT&CK id."""

    actor = serializers.CharField(source="actor_id", allow_null=True, read_only=True)
    retest_of = serializers.IntegerField(source="retest_of_id", allow_null=True, read_only=True)
    participants: Any = serializers.SlugRelatedField(slug_field="username", many=True, read_only=True)
    tests_total = serializers.IntegerField(read_only=True)
    created_by = username("created_by")

    class Meta:
        model = Campaign
        fields: tuple[str, ...] = tuple(EXAMPLE)
        read_only_fields: tuple[str, ...] = fields


class ProgressSerializer(serializers.Serializer[Any]):
    """The live tests of a campaign, counted. `time_to_detect` is the median of those that were detected, in seconds."""

    total = serializers.IntegerField()
    decided = serializers.IntegerField()
    percent = serializers.IntegerField()
    states = serializers.DictField(child=serializers.IntegerField())
    outcomes = serializers.DictField(child=serializers.IntegerField())
    detected = serializers.IntegerField()
    time_to_detect = serializers.SerializerMethodField()

    def get_time_to_detect(self, progress: Any) -> float | None:
        """In seconds."""
        return None if progress.time_to_detect is None else float(progress.time_to_detect.total_seconds())


@extend_schema_serializer(
    examples=[OpenApiExample("A campaign, whole", value=EXAMPLE | PROGRESS_EXAMPLE | {"tests": [TEST_EXAMPLE]})]
)
class CampaignDetailSerializer(CampaignSerializer):
    """A campaign with its progress, and its live tests in order."""

    progress = serializers.SerializerMethodField()
    tests = serializers.SerializerMethodField()

    class Meta(CampaignSerializer.Meta):
        fields = (*CampaignSerializer.Meta.fields, "progress", "tests")
        read_only_fields = fields

    @extend_schema_field(ProgressSerializer)
    def get_progress(self, campaign: Campaign) -> Any:
        """How it stands."""
        return ProgressSerializer(campaign_progress(campaign)).data

    @extend_schema_field(TestSerializer(many=True))
    def get_tests(self, campaign: Campaign) -> Any:
        """Its live tests in order."""
        rows = LISTED.filter(campaign=campaign).live().in_campaign_order()
        return TestSerializer(rows, many=True).data


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Techniques and a template", value={"techniques": ["T1059.001"], "templates": [12]}, request_only=True
        )
    ]
)
class Plan(StrictSerializer):
    """What to make tests of: one draft for each technique, each template, and each active technique of the actor."""

    techniques = serializers.ListField(
        child=serializers.CharField(max_length=32), required=False, max_length=1000, help_text="ATT&CK ids."
    )
    templates = ids(required=False, help_text="Numbers of test templates.")
    actor = serializers.CharField(required=False, max_length=32, help_text="An actor's ATT&CK id.")


class CampaignWords(StrictSerializer):
    """What people write of a campaign; `participants` is the whole list."""

    name = serializers.CharField(max_length=255)
    goal = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST)
    starts_on = serializers.DateField(required=False, allow_null=True, validators=[plausible])
    ends_on = serializers.DateField(required=False, allow_null=True, validators=[plausible])
    participants = serializers.ListField(
        child=serializers.CharField(max_length=150), required=False, max_length=1000, help_text="Usernames."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample("After an actor", value={"name": "What Example Bear does", "actor": "G9001"}, request_only=True)
    ]
)
class NewCampaign(CampaignWords, Plan):
    """A campaign to plan."""


@extend_schema_serializer(
    examples=[OpenApiExample("Another goal", value={"goal": "See whether we would notice."}, request_only=True)]
)
class CampaignChanges(CampaignWords):
    """What changes of a campaign."""

    name = serializers.CharField(required=False, max_length=255)


@extend_schema_serializer(
    examples=[OpenApiExample("A name of its own", value={"name": "What Example Bear does, again"}, request_only=True)]
)
class RetestName(StrictSerializer):
    """The name of the retest, if it is to have one of its own."""

    name = serializers.CharField(required=False, max_length=255)


@extend_schema_serializer(
    examples=[OpenApiExample("With a word why", value={"note": "The plan changed."}, request_only=True)]
)
class CampaignNote(StrictSerializer):
    """A note for the audit trail."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST)


COMPARED_EXAMPLE: Final = {
    "id": 12,
    "technique": "T1059.001",
    "name": "Ask for the time",
    "state": "validated",
    "outcome": "missed",
}


class ComparedTest(serializers.Serializer[Any]):
    """A test in one of two runs."""

    id = serializers.IntegerField()
    technique = serializers.CharField(source="technique_id")
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=State.choices)
    outcome = serializers.ChoiceField(choices=Outcome.choices)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Better than before",
            value={
                "first": COMPARED_EXAMPLE,
                "second": COMPARED_EXAMPLE | {"id": 31, "outcome": "alerted"},
                "change": "better",
            },
        )
    ]
)
class ComparisonSerializer(serializers.Serializer[Any]):
    """One test in two runs: `first` or `second` is null where that run lacks it."""

    first = ComparedTest(allow_null=True)
    second = ComparedTest(allow_null=True)
    change = serializers.ChoiceField(choices=["better", "worse", "same", "pending", "new", "gone"])


@require_action("campaign.read")
@extend_schema(tags=["campaigns"])
class CampaignList(WorkEndpoint, ListEndpoint):
    """Campaigns that are not archived, the newest first, unless archived ones are asked for."""

    queryset = ROWS
    serializer_class = CampaignSerializer
    filterset_class = CampaignFilter
    ordering_fields: ClassVar[Mapping[str, str]] = {
        name: name for name in ("id", "name", "starts_on", "ends_on", "created_at", "updated_at")
    }

    @extend_schema(request=NewCampaign, responses={201: CampaignDetailSerializer}, operation_id="campaigns_create")
    @repeatable("campaign.manage")
    def post(self, request: Request) -> Response:
        """Plan a campaign, with drafts for techniques, templates, or all that an actor is known to use."""
        body = given(NewCampaign, request)
        campaign = create_campaign(by=visitor(request), **body | planned(body) | involved(body))
        return shown(campaign.pk, status.HTTP_201_CREATED)


@require_action("campaign.read")
@extend_schema(tags=["campaigns"])
class CampaignDetail(WorkEndpoint):
    """One campaign, archived or not."""

    @extend_schema(responses=CampaignDetailSerializer, operation_id="campaigns_retrieve")
    def get(self, request: Request, id: str) -> Response:  # noqa: A002  the name in the path
        """The campaign with its progress and tests."""
        return shown(id)

    @extend_schema(request=CampaignChanges, responses=CampaignDetailSerializer, operation_id="campaigns_update")
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        """Change name, goal, period or participants; 409 for one that is archived."""
        campaign = get_object_or_404(Campaign, pk=id)
        permit(visitor(request), "campaign.manage", campaign)
        body = given(CampaignChanges, request)
        people = involved(body).get("participants")
        body.pop("participants", None)
        edit_campaign(by=visitor(request), campaign=campaign, changes=body, participants=people)
        return shown(id)


@require_action("campaign.manage")
class CampaignTests(WorkEndpoint):
    """The plan of a campaign."""

    @extend_schema(
        tags=["campaigns"],
        request=Plan,
        responses={201: TestSerializer(many=True)},
        operation_id="campaigns_tests_create",
    )
    @repeatable("campaign.manage")
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Add drafts at the end of a campaign; 409 for one that is archived."""
        campaign = get_object_or_404(Campaign, pk=id)
        body = planned(given(Plan, request))
        if not any(body.values()):
            raise ValidationError({"techniques": ["Name techniques, templates, or an actor."]})
        added = add_tests(by=visitor(request), campaign=campaign, **body)
        rows = LISTED.filter(pk__in=[test.pk for test in added]).in_campaign_order()
        return Response(TestSerializer(rows, many=True).data, status=status.HTTP_201_CREATED)


@require_action("campaign.manage")
class CampaignRetest(WorkEndpoint):
    """Repeating a campaign."""

    @extend_schema(
        tags=["campaigns"],
        request=RetestName,
        responses={201: CampaignDetailSerializer},
        operation_id="campaigns_retest",
    )
    @repeatable("campaign.manage")
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """A new campaign with the same plan and no results, each test linked to the one that it repeats."""
        campaign = get_object_or_404(Campaign, pk=id)
        retest = duplicate_as_retest(by=visitor(request), campaign=campaign, **given(RetestName, request))
        return shown(retest.pk, status.HTTP_201_CREATED)


@require_action("campaign.manage")
class CampaignArchive(WorkEndpoint):
    """Putting a campaign away."""

    @extend_schema(
        tags=["campaigns"],
        request=CampaignNote,
        responses=CampaignDetailSerializer,
        operation_id="campaigns_archive",
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Put a campaign away; its tests stay, and count as before. 409 if it is archived already."""
        campaign = get_object_or_404(Campaign, pk=id)
        archive_campaign(by=visitor(request), campaign=campaign, **given(CampaignNote, request))
        return shown(id)


@require_action("campaign.read")
class CampaignCompare(WorkEndpoint):
    """Two runs side by side."""

    @extend_schema(
        tags=["campaigns"],
        parameters=[OpenApiParameter("with", int, description="The other campaign; what this one repeats, if unsaid.")],
        responses=ComparisonSerializer(many=True),
        operation_id="campaigns_compare",
    )
    def get(self, request: Request, id: str) -> Response:  # noqa: A002
        """What changed since an earlier campaign: the tests of this one in order, and what only the other one has."""
        refuse_unknown_parameters(request, ["with", "format"])
        campaign = get_object_or_404(Campaign, pk=id)
        rows = compare_runs(earlier(request, campaign), campaign)
        return Response(ComparisonSerializer(rows, many=True).data)


def shown(pk: Any, code: int = status.HTTP_200_OK) -> Response:
    """The whole campaign as it stands. Raises Http404."""
    return Response(CampaignDetailSerializer(get_object_or_404(ROWS, pk=pk)).data, status=code)


def earlier(request: Request, campaign: Campaign) -> Campaign:
    """The campaign to compare with. Raises ValidationError if none is named, or is there."""
    named = request.query_params.get("with", str(campaign.retest_of_id or ""))
    if not WHOLE_NUMBER.fullmatch(named):
        raise ValidationError({"with": ["Name the other campaign by its number: this one is no retest."]})
    return Campaign.objects.filter(pk=named).first() or unknown("with", [named])


def planned(body: Mapping[str, Any]) -> dict[str, Any]:
    """The techniques, templates and actor that a body names. Raises ValidationError for those that are not there."""
    names = [name.strip().upper() for name in body.get("techniques", [])]
    return {
        "techniques": all_of(Technique.objects.all(), "techniques", "mitre_id", names),
        "templates": all_of(TestTemplate.objects.all(), "templates", "pk", body.get("templates", [])),
        "actor": one_of(ThreatActor.objects.all(), "actor", "mitre_id", body.get("actor", "").upper()),
    }


def involved(body: Mapping[str, Any]) -> dict[str, Any]:
    """The participants that a body names, if it names any. Raises ValidationError for those that are not there."""
    if "participants" not in body:
        return {}
    return {"participants": all_of(User.objects.all(), "participants", "username", body["participants"])}
