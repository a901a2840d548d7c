"""Techniques in the API: what ATT&CK says, what stands beside it, what our tests say, and the lead who looked at it."""

from typing import Any, Final

from django.db.models import Prefetch
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.repeats import repeatable
from aegis.lib.api import DetailEndpoint, ListEndpoint, StrictSerializer, username
from catalog.api.base import RUN_EXAMPLE, WithRunSerializer
from catalog.api.techniques import TechniqueSerializer, technique_example
from catalog.models import Technique
from coverage.api.base import IF_MATCH, WorkEndpoint, given, seen, visitor
from coverage.api.shapes import EXAMPLE, LISTED, TestSerializer
from coverage.api.technique_forms import NewTechnique, TechniqueChanges, TechniqueNote
from coverage.figures.claims import CLAIMS, claims
from coverage.filters import CoveredTechniqueFilter
from coverage.models import GapAssignment, TechniqueCoverage
from coverage.services.review import review_technique
from coverage.services.techniques import (
    archive_technique,
    create_technique,
    edit_technique,
    require_ours,
    restore_technique,
)
from coverage.services.writing import permit
from coverage.techniques.status import Status
from coverage.testing.texts import LONGEST

SUBTECHNIQUES = Prefetch("subtechniques", Technique.objects.active().only("mitre_id", "name", "parent"))
TESTS = Prefetch("tests", LISTED.live(), to_attr="live_tests")
OWNERS = Prefetch(
    "gap_assignments",
    GapAssignment.objects.standing().select_related("owner", "assigned_by"),
    to_attr="standing_assignments",
)
DETAILED: Final = Technique.objects.select_related(
    "coverage__reviewed_by", "local__added_by", "local__changed_by"
).prefetch_related("technique_tactics", SUBTECHNIQUES, TESTS, OWNERS)
COVERAGE: Final = ("status", "review_required", "proven", "proven_gap", "last_validated_at", "last_proven_at")
COVERAGE_EXAMPLE: Final = {
    "status": "partial",
    "review_required": False,
    "proven": True,
    "proven_gap": False,
    "last_validated_at": "2026-01-02T03:04:05Z",
    "last_proven_at": "2026-01-02T03:04:05Z",
}


class SubtechniqueSerializer(serializers.ModelSerializer[Technique]):
    """A sub-technique by id and name."""

    class Meta:
        model = Technique
        fields = ("mitre_id", "name")
        read_only_fields = fields


class CountsSerializer(serializers.Serializer[Any]):
    """How many current rows name a technique, without those of its sub-techniques."""

    rules = serializers.IntegerField()
    templates = serializers.IntegerField()
    actors = serializers.IntegerField()
    defences = serializers.IntegerField()
    mitigations = serializers.IntegerField()
    controls = serializers.IntegerField()


COUNTS_EXAMPLE = {"rules": 12, "templates": 4, "actors": 31, "defences": 9, "mitigations": 5, "controls": 14}


@extend_schema_serializer(examples=[OpenApiExample("A sub-technique", value=technique_example(**COVERAGE_EXAMPLE))])
class CoveredTechniqueSerializer(TechniqueSerializer):
    """A technique and what our tests say of it. `status` takes its sub-techniques in; the rest is about its own tests."""

    status = serializers.ChoiceField(source="coverage.status", choices=Status.choices, read_only=True)
    review_required = serializers.BooleanField(source="coverage.review_required", read_only=True)
    proven = serializers.BooleanField(source="coverage.proven", read_only=True)
    proven_gap = serializers.BooleanField(source="coverage.proven_gap", read_only=True)
    last_validated_at = serializers.DateTimeField(source="coverage.last_validated_at", allow_null=True, read_only=True)
    last_proven_at = serializers.DateTimeField(source="coverage.last_proven_at", allow_null=True, read_only=True)

    class Meta(TechniqueSerializer.Meta):
        fields = (*TechniqueSerializer.Meta.fields, *COVERAGE)
        read_only_fields = fields

    def to_representation(self, technique: Technique) -> dict[str, Any]:
        """The fields; a technique without a row of coverage is not covered, and needs no review."""
        if not hasattr(technique, "coverage"):
            technique.coverage = TechniqueCoverage(technique=technique)
        return super().to_representation(technique)


class ReasonSerializer(serializers.Serializer[Any]):
    """Why somebody should look at a technique again."""

    kind = serializers.ChoiceField(choices=TechniqueCoverage.Reason.choices)
    text = serializers.CharField()
    at = serializers.DateTimeField()
    link = serializers.CharField(required=False, help_text="The page that says more.")


class GapOwnerSerializer(serializers.Serializer[GapAssignment]):
    """Who has the gap of a technique. It stands while the technique is proven too, and is nobody's work then."""

    owner = serializers.CharField(source="owner.username")
    owner_active = serializers.BooleanField(source="owner.is_active", help_text="False: deactivated since.")
    due_on = serializers.DateField(allow_null=True)
    overdue = serializers.BooleanField(source="shown.is_overdue")
    note = serializers.CharField()
    assigned_by = serializers.CharField(source="assigned_by.username")
    assigned_at = serializers.DateTimeField()


DETAIL_EXAMPLE = {
    **COVERAGE_EXAMPLE,
    "review_reasons": [],
    "reviewed_by": "lena",
    "reviewed_at": "2026-01-02T03:04:05Z",
    "gap_owner": {
        "owner": "maria",
        "owner_active": True,
        "due_on": "2026-03-31",
        "overdue": False,
        "note": "",
        "assigned_by": "lena",
        "assigned_at": "2026-01-02T03:04:05Z",
    },
    "tests": [EXAMPLE],
    "subtechniques": [],
    "counts": COUNTS_EXAMPLE,
    "local_version": None,
    "added_by": None,
    "changed_by": None,
    **RUN_EXAMPLE,
}


@extend_schema_serializer(examples=[OpenApiExample("In detail", value=technique_example(**DETAIL_EXAMPLE))])
class TechniqueDetailSerializer(CoveredTechniqueSerializer, WithRunSerializer):
    """A technique with its live tests, its active sub-techniques, and counts of what maps to it.

    `local_version` counts the writes to a local technique, `added_by` and `changed_by` say who wrote; null for those of ATT&CK.
    """

    review_reasons = ReasonSerializer(source="coverage.review_reasons", many=True, read_only=True)
    reviewed_by = username("coverage.reviewed_by")
    reviewed_at = serializers.DateTimeField(source="coverage.reviewed_at", allow_null=True, read_only=True)
    gap_owner = serializers.SerializerMethodField()
    tests = TestSerializer(source="live_tests", many=True, read_only=True)
    subtechniques = SubtechniqueSerializer(many=True, read_only=True)
    counts = serializers.SerializerMethodField()
    local_version = serializers.IntegerField(source="local.version", default=None, allow_null=True, read_only=True)
    added_by = username("local.added_by")
    changed_by = username("local.changed_by")

    class Meta(CoveredTechniqueSerializer.Meta):
        fields = (
            *CoveredTechniqueSerializer.Meta.fields,
            "review_reasons",
            "reviewed_by",
            "reviewed_at",
            "gap_owner",
            "tests",
            "subtechniques",
            "counts",
            "local_version",
            "added_by",
            "changed_by",
            "last_run",
        )
        read_only_fields = fields

    @extend_schema_field(GapOwnerSerializer(allow_null=True))
    def get_gap_owner(self, technique: Technique) -> dict[str, Any] | None:
        """Null for nobody."""
        standing: list[GapAssignment] = technique.standing_assignments  # type: ignore[attr-defined]  # OWNERS fetches them
        return dict(GapOwnerSerializer(standing[0]).data) if standing else None

    @extend_schema_field(CountsSerializer)
    def get_counts(self, technique: Technique) -> dict[str, int]:
        """By kind of claim."""
        name = technique.mitre_id
        return {claim.name: claims(claim.name, [name]).get(name, 0) for claim in CLAIMS}


@require_action("catalog.read")
@extend_schema(tags=["techniques"])
class TechniqueList(WorkEndpoint, ListEndpoint):
    """Techniques and sub-techniques: active ones, unless revoked, deprecated or withdrawn ones are asked for."""

    queryset = Technique.objects.select_related("coverage").prefetch_related("technique_tactics")
    serializer_class = CoveredTechniqueSerializer
    filterset_class = CoveredTechniqueFilter
    ordering_fields = {"mitre_id": "mitre_id", "name": "name", "changed_at": "changed_at"}

    @extend_schema(request=NewTechnique, responses={201: TechniqueDetailSerializer}, operation_id="techniques_create")
    @repeatable("technique.edit")
    def post(self, request: Request) -> Response:
        """Add a technique of your own, which no import touches. For admins; 409 if the id belongs to another technique."""
        technique = create_technique(by=visitor(request), **given(NewTechnique, request))
        found = TechniqueDetailSerializer(DETAILED.get(pk=technique.pk), context=self.get_serializer_context())
        return Response(found.data, status=status.HTTP_201_CREATED)


MITRE_ID = OpenApiParameter("mitre_id", str, "path", description="An ATT&CK id.")


@require_action("catalog.read")
@extend_schema(tags=["techniques"], parameters=[MITRE_ID])
class TechniqueDetail(WorkEndpoint, DetailEndpoint):
    """One technique, active or not."""

    queryset = DETAILED
    serializer_class = TechniqueDetailSerializer
    lookup_field = "mitre_id"

    def get_object(self) -> Any:
        """The row, whatever the case of its id. Raises Http404."""
        self.kwargs["mitre_id"] = self.kwargs["mitre_id"].upper()
        return super().get_object()

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The technique as it stands now."""
        return self.shown()

    def shown(self) -> Response:
        """The same, with its version as ETag if it is one of our own."""
        body = self.get_serializer(self.get_object()).data
        return Response(body, headers={"ETag": f'"{body["local_version"]}"'} if body["local_version"] else None)

    @extend_schema(
        request=TechniqueChanges,
        responses=TechniqueDetailSerializer,
        parameters=[IF_MATCH],
        operation_id="techniques_update",
    )
    def patch(self, request: Request, mitre_id: str) -> Response:
        """Change a technique of your own. For admins; 409 for one of ATT&CK, whose fields come from upstream."""
        technique = self.get_object()
        permit(visitor(request), "technique.edit", technique)
        require_ours(technique)
        changes, version = seen(TechniqueChanges, request)
        edit_technique(by=visitor(request), technique=technique, changes=changes, version=version)
        return self.shown()


@extend_schema_serializer(
    examples=[OpenApiExample("With a word", value={"note": "Read it: nothing that our tests miss."}, request_only=True)]
)
class ReviewSerializer(StrictSerializer):
    """What a lead has to say about a technique, if anything: it goes into the audit trail."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST)


@require_action("technique.review")
class TechniqueReview(TechniqueDetail):
    """The look that a lead takes at a technique."""

    http_method_names = ("patch", "options")

    @extend_schema(
        tags=["techniques"],
        parameters=[MITRE_ID],
        request=ReviewSerializer,
        responses=TechniqueDetailSerializer,
        operation_id="techniques_review",
    )
    def patch(self, request: Request, mitre_id: str) -> Response:
        """Mark a technique as reviewed, whatever had asked for it."""
        technique = self.get_object()
        review_technique(by=visitor(request), technique=technique, **given(ReviewSerializer, request))
        return self.shown()


@require_action("technique.edit")
class TechniqueArchive(TechniqueDetail):
    """Putting a technique of your own away."""

    http_method_names = ("post", "options")

    @extend_schema(
        tags=["techniques"],
        parameters=[MITRE_ID, IF_MATCH],
        request=TechniqueNote,
        responses=TechniqueDetailSerializer,
        operation_id="techniques_archive",
    )
    def post(self, request: Request, mitre_id: str) -> Response:
        """Put a technique of your own away: it counts for nothing any more; its tests stay. 409 for one of ATT&CK."""
        words, version = seen(TechniqueNote, request)
        archive_technique(by=visitor(request), technique=self.get_object(), version=version, **words)
        return self.shown()


@require_action("technique.edit")
class TechniqueRestore(TechniqueDetail):
    """Bringing a technique of your own back."""

    http_method_names = ("post", "options")

    @extend_schema(
        tags=["techniques"],
        parameters=[MITRE_ID, IF_MATCH],
        request=TechniqueNote,
        responses=TechniqueDetailSerializer,
        operation_id="techniques_restore",
    )
    def post(self, request: Request, mitre_id: str) -> Response:
        """Bring back a technique of your own that was archived, with its tests; 409 for any other."""
        words, version = seen(TechniqueNote, request)
        restore_technique(by=visitor(request), technique=self.get_object(), version=version, **words)
        return self.shown()
