"""Frameworks and controls in the API."""

from typing import Any

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from aegis.accounts.access import require_action
from aegis.lib.api import DetailEndpoint, ListEndpoint
from catalog.api.base import PROVENANCE, PROVENANCE_EXAMPLE, ReferenceSerializer, SourcedSerializer
from compliance.filters import ComplianceControlFilter
from compliance.models import ComplianceControl, ComplianceControlMapping, ComplianceFramework

FIELDS = (
    "id",
    "framework",
    "framework_version",
    "control_id",
    "title",
    "description",
    "category",
    "parent_control_id",
    "withdrawn",
    "mappings",
    *PROVENANCE,
)
EXAMPLE = {
    "id": 78,
    "framework": "nist-800-53-rev5",
    "framework_version": "Rev 5",
    "control_id": "AC-2(1)",
    "title": "Automated System Account Management",
    "description": "What the control asks for.",
    "category": "Access Control",
    "parent_control_id": "AC-2",
    "withdrawn": False,
    "mappings": [
        {
            "published_id": "T1078",
            "mitre_id": "T1078",
            "resolution": "exact",
            "mapping_type": "mitigates",
            "attack_version": "16.1",
            "is_current": True,
        }
    ],
    **PROVENANCE_EXAMPLE,
    "source": "nist-800-53",
}
CURRENT_MAPPINGS = Prefetch("mappings", ComplianceControlMapping.objects.filter(is_current=True).order_by("pk"))
ALL_MAPPINGS = Prefetch("mappings", ComplianceControlMapping.objects.order_by("pk"))
MAPPINGS = {"current": CURRENT_MAPPINGS, "all": ALL_MAPPINGS}


class ComplianceFrameworkSerializer(serializers.ModelSerializer[ComplianceFramework]):
    """One version of a framework; `attack_version` is the ATT&CK version of its current mappings.

    `version` is the framework's own; the upstream's is `source_version`.
    """

    class Meta:
        model = ComplianceFramework
        fields = ("slug", "name", "attack_version", "source_version", *PROVENANCE)
        read_only_fields = fields


class MappingSerializer(ReferenceSerializer):
    """A technique that a control is said to mitigate, in the mappings made for one ATT&CK version."""

    class Meta(ReferenceSerializer.Meta):
        model = ComplianceControlMapping
        fields = (*ReferenceSerializer.Meta.fields, "mapping_type", "attack_version", "is_current")
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("An enhancement", value=EXAMPLE)])
class ComplianceControlSerializer(SourcedSerializer):
    """A control or enhancement. `withdrawn` is the framework's word, `withdrawn_at` says that upstream dropped the row."""

    framework = serializers.CharField(source="framework_id", read_only=True)
    framework_version = serializers.CharField(source="framework.version", read_only=True)
    mappings = MappingSerializer(many=True, read_only=True)

    class Meta:
        model = ComplianceControl
        fields = FIELDS
        read_only_fields = FIELDS


@require_action("compliance.read")
@extend_schema(tags=["compliance"])
class ComplianceFrameworkList(ListEndpoint):
    """The frameworks that the catalogue holds."""

    queryset = ComplianceFramework.objects.current()
    serializer_class = ComplianceFrameworkSerializer


@require_action("compliance.read")
@extend_schema(tags=["compliance"])
class ComplianceControlList(ListEndpoint):
    """Controls in force with their current mappings; withdrawn ones if they are asked for."""

    queryset = ComplianceControl.objects.select_related("framework").prefetch_related(CURRENT_MAPPINGS)
    serializer_class = ComplianceControlSerializer
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
class ComplianceControlDetail(DetailEndpoint):
    """One control, in force or not."""

    queryset = ComplianceControl.objects.select_related("framework")
    serializer_class = ComplianceControlSerializer
    lookup_field = "id"

    def get_queryset(self) -> Any:
        """With the mappings that `?mappings=` names. Raises ValidationError."""
        which = self.request.query_params.get("mappings", "current")
        if which not in MAPPINGS:
            raise ValidationError({"mappings": [f"Choose from {', '.join(MAPPINGS)}."]})
        return super().get_queryset().prefetch_related(MAPPINGS[which])
