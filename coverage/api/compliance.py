"""Frameworks, controls and their conflicts in the API, with what tests have shown of the techniques that they are mapped to."""

from typing import Any

from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from drf_spectacular.utils import extend_schema_serializer as described
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.policy import allows
from aegis.lib.api import DetailEndpoint, ListEndpoint, StrictSerializer
from catalog.api.base import PROVENANCE_EXAMPLE, RUN_EXAMPLE, WithRunSerializer
from compliance import api as catalogue
from compliance.api import CURRENT_MAPPINGS, MAPPINGS
from compliance.filters import ComplianceControlFilter, ComplianceFrameworkFilter
from compliance.models import ComplianceControl, ComplianceFramework
from compliance.switching import switch
from coverage.api.shares import SHARES_EXAMPLE, SharesSerializer, WithFacts, facts_of
from coverage.figures.controls import FrameworkRow, conflict_of, conflicting, framework_rows, named_by, no_figures

CONFLICT_EXAMPLE = {
    "id": 78,
    "framework": "nist-800-53-rev5",
    "framework_version": "Rev 5",
    "control_id": "AC-2",
    "title": "Account Management",
    "category": "Access Control",
    "coverage": SHARES_EXAMPLE,
    "missed": [
        {"mitre_id": "T1059", "name": "Example Technique", "proven": False, "missed_tests": 2, "newest_test": 12}
    ],
}


class MissedTechniqueSerializer(serializers.Serializer[Any]):
    """A technique that tests missed; `newest_test` is the newest of them, `proven` says that another test met."""

    mitre_id = serializers.CharField()
    name = serializers.CharField()
    proven = serializers.BooleanField()
    missed_tests = serializers.IntegerField(source="missed.tests")
    newest_test = serializers.IntegerField(source="missed.newest")


FRAMEWORK_EXAMPLE = {
    "slug": "nist-800-53-rev5",
    "name": "NIST SP 800-53",
    "attack_version": "16.1",
    "switched_on": True,
    "thing": "control",
    "source_version": "01/28/2025",
    **PROVENANCE_EXAMPLE,
    "source": "nist-800-53",
    "license": "Apache-2.0",
    "controls": 1010,
    "mapped_controls": 110,
    "conflicts": 3,
    "coverage": SHARES_EXAMPLE,
}


@described(examples=[OpenApiExample("A framework", value=FRAMEWORK_EXAMPLE)])
class FrameworkSerializer(catalogue.ComplianceFrameworkSerializer):
    """A framework with its controls in force, those that are mapped, those in conflict, and how its techniques stand.

    Of a framework that is switched off nothing counts: all figures are 0.
    """

    controls = serializers.SerializerMethodField()
    mapped_controls = serializers.SerializerMethodField()
    conflicts = serializers.SerializerMethodField()
    coverage = serializers.SerializerMethodField()

    class Meta(catalogue.ComplianceFrameworkSerializer.Meta):
        fields: tuple[str, ...] = (
            *catalogue.ComplianceFrameworkSerializer.Meta.fields,
            "controls",
            "mapped_controls",
            "conflicts",
            "coverage",
        )
        read_only_fields: tuple[str, ...] = fields

    def get_controls(self, framework: ComplianceFramework) -> int:
        """Controls in force."""
        return self._row(framework).controls

    def get_mapped_controls(self, framework: ComplianceFramework) -> int:
        """Those that are mapped to an active technique."""
        return self._row(framework).mapped

    def get_conflicts(self, framework: ComplianceFramework) -> int:
        """Those that are mapped to a technique that tests missed."""
        return self._row(framework).conflicts

    @extend_schema_field(SharesSerializer)
    def get_coverage(self, framework: ComplianceFramework) -> Any:
        """How the mapped techniques stand."""
        return self._row(framework).shares.for_api()

    def _row(self, framework: ComplianceFramework) -> FrameworkRow:
        view: FrameworkFigures = self.context["view"]
        return view.rows.get(framework.slug) or no_figures(framework, view.facts)


@described(examples=[OpenApiExample("A framework, in detail", value=FRAMEWORK_EXAMPLE | RUN_EXAMPLE)])
class FrameworkDetailSerializer(FrameworkSerializer, WithRunSerializer):
    """A framework with the run that changed it last."""

    class Meta(FrameworkSerializer.Meta):
        fields = (*FrameworkSerializer.Meta.fields, "last_run")
        read_only_fields = fields


@described(examples=[OpenApiExample("A control", value=catalogue.EXAMPLE | {"coverage": SHARES_EXAMPLE})])
class ControlSerializer(catalogue.ComplianceControlSerializer):
    """A control with its mappings, and how the techniques of the current ones stand."""

    coverage = serializers.SerializerMethodField()

    class Meta(catalogue.ComplianceControlSerializer.Meta):
        fields: tuple[str, ...] = (*catalogue.FIELDS, "coverage")
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(SharesSerializer)
    def get_coverage(self, control: ComplianceControl) -> Any:
        """How the mapped techniques stand."""
        return facts_of(self).shares(named(control)).for_api()


@described(
    examples=[
        OpenApiExample("A control, in detail", value=catalogue.EXAMPLE | {"coverage": SHARES_EXAMPLE} | RUN_EXAMPLE)
    ]
)
class ControlDetailSerializer(ControlSerializer, WithRunSerializer):
    """A control with the run that changed it last."""

    class Meta(ControlSerializer.Meta):
        fields = (*ControlSerializer.Meta.fields, "last_run")
        read_only_fields = fields


@described(examples=[OpenApiExample("A conflict", value=CONFLICT_EXAMPLE)])
class ConflictSerializer(serializers.ModelSerializer[ComplianceControl]):
    """A control in force that is said to mitigate or detect techniques which validated tests missed."""

    framework = serializers.CharField(source="framework_id", read_only=True)
    framework_version = serializers.CharField(source="framework.version", read_only=True)
    coverage = serializers.SerializerMethodField()
    missed = serializers.SerializerMethodField()

    class Meta:
        model = ComplianceControl
        fields = ("id", "framework", "framework_version", "control_id", "title", "category", "coverage", "missed")
        read_only_fields = fields

    @extend_schema_field(SharesSerializer)
    def get_coverage(self, control: ComplianceControl) -> Any:
        """How the mapped techniques stand."""
        return facts_of(self).shares(named(control)).for_api()

    @extend_schema_field(MissedTechniqueSerializer(many=True))
    def get_missed(self, control: ComplianceControl) -> Any:
        """The techniques, those that no test proved first."""
        conflict = conflict_of(control, named_by(control.mappings.all()), facts_of(self))
        return MissedTechniqueSerializer(conflict.missed, many=True).data


def named(control: ComplianceControl) -> set[str]:
    """The techniques of the current mappings of a control that was read with its mappings."""
    return {one.technique for one in named_by(control.mappings.all())}


class FrameworkFigures(WithFacts):
    """What views of frameworks ask once."""

    @cached_property
    def rows(self) -> dict[str, FrameworkRow]:
        """The figures of the frameworks that are switched on."""
        return {row.framework.slug: row for row in framework_rows(self.facts)}


@require_action("compliance.read")
@extend_schema(tags=["compliance"])
class FrameworkList(FrameworkFigures, ListEndpoint):
    """The frameworks that are switched on, with how the techniques that they are mapped to stand.

    `?switched_on=false` lists the others, of which nothing counts.
    """

    queryset = ComplianceFramework.objects.all()
    serializer_class = FrameworkSerializer
    filterset_class = ComplianceFrameworkFilter


class FrameworkChanges(StrictSerializer):
    """What an admin may change of a framework."""

    switched_on = serializers.BooleanField(help_text="Whether the framework is shown and counted anywhere.")


@require_action("compliance.read")
@extend_schema(tags=["compliance"])
class FrameworkDetail(FrameworkFigures, DetailEndpoint):
    """One framework, switched on or not."""

    queryset = ComplianceFramework.objects.all()
    serializer_class = FrameworkDetailSerializer
    lookup_field = "slug"

    @extend_schema(
        request=FrameworkChanges,
        responses=FrameworkDetailSerializer,
        operation_id="compliance_frameworks_update",
        examples=[OpenApiExample("Show and count it", value={"switched_on": True}, request_only=True)],
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Switch a framework on or off."""
        if not allows(request.user, "compliance.manage"):
            raise PermissionDenied("Only admins switch frameworks on and off.")
        body = FrameworkChanges(data=request.data)
        body.is_valid(raise_exception=True)
        framework = switch(self.get_object(), on=body.validated_data["switched_on"])
        return Response(self.get_serializer(framework).data)


@require_action("compliance.read")
@extend_schema(tags=["compliance"])
class ControlList(WithFacts, ListEndpoint):
    """Controls in force with their current mappings and how their techniques stand; withdrawn ones if they are asked for."""

    queryset = ComplianceControl.objects.select_related("framework").prefetch_related(CURRENT_MAPPINGS)
    serializer_class = ControlSerializer
    filterset_class = ComplianceControlFilter
    ordering_fields = {"id": "pk", "control_id": "sort_key", "title": "title", "changed_at": "changed_at"}


@require_action("compliance.read")
@extend_schema(
    tags=["compliance"],
    parameters=[
        OpenApiParameter(
            "mappings", str, enum=list(MAPPINGS), description="`all` shows the mappings of older ATT&CK versions too."
        )
    ],
)
class ControlDetail(WithFacts, DetailEndpoint):
    """One control, in force or not, with how the techniques of its current mappings stand."""

    queryset = ComplianceControl.objects.select_related("framework")
    serializer_class = ControlDetailSerializer
    lookup_field = "id"

    def get_queryset(self) -> Any:
        """With the mappings that `?mappings=` names. Raises ValidationError."""
        which = self.request.query_params.get("mappings", "current")
        if which not in MAPPINGS:
            raise ValidationError({"mappings": [f"Choose from {', '.join(MAPPINGS)}."]})
        return super().get_queryset().prefetch_related(MAPPINGS[which])


@require_action("compliance.read")
@extend_schema(tags=["compliance"])
class ConflictList(WithFacts, ListEndpoint):
    """Controls in force that are said to mitigate or detect techniques which validated tests missed, most such first.

    Mappings that only describe (a vulnerability, an action) or that only respond are no claim. Either the control is
    not in place where the tests ran, or it does not do what the mapping says.
    """

    queryset = ComplianceControl.objects.select_related("framework").prefetch_related(CURRENT_MAPPINGS)
    serializer_class = ConflictSerializer
    filterset_class = ComplianceControlFilter

    def filter_queryset(self, queryset: Any) -> Any:
        """Those that conflict, among those that the filters leave."""
        return conflicting(super().filter_queryset(queryset))
