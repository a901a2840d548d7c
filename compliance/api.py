"""Frameworks and controls as the API writes them."""

from django.db.models import Prefetch
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from catalog.api.base import PROVENANCE, PROVENANCE_EXAMPLE, ReferenceSerializer, SourcedSerializer
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
            "mapping_name": "",
            "score_category": "",
            "score_value": "",
            "defends": True,
            "attack_version": "16.1",
            "is_current": True,
            "comments": "",
            "references": [],
        }
    ],
    **PROVENANCE_EXAMPLE,
    "source": "nist-800-53",
    "license": "Apache-2.0",
}
CURRENT_MAPPINGS = Prefetch("mappings", ComplianceControlMapping.objects.filter(is_current=True).order_by("pk"))
ALL_MAPPINGS = Prefetch("mappings", ComplianceControlMapping.objects.order_by("pk"))
MAPPINGS = {"current": CURRENT_MAPPINGS, "all": ALL_MAPPINGS}


class ComplianceFrameworkSerializer(serializers.ModelSerializer[ComplianceFramework]):
    """One version of a framework; `attack_version` is the ATT&CK version of its current mappings.

    `version` is the framework's own; the upstream's is `source_version`. `thing` says what its parts are: a control, a
    capability, a vulnerability, an action.
    """

    thing = serializers.CharField(source="words.thing", read_only=True)
    license = serializers.CharField(source="upstream_license", read_only=True)

    class Meta:
        model = ComplianceFramework
        fields: tuple[str, ...] = (
            "slug",
            "name",
            "attack_version",
            "switched_on",
            "thing",
            "source_version",
            *PROVENANCE,
        )
        read_only_fields: tuple[str, ...] = fields


class MappingSerializer(ReferenceSerializer):
    """A technique that a control has to do with, in the mappings made for one ATT&CK version.

    `defends` says that the mapping claims to mitigate or to detect; others describe. Scored mappings say in `score_category`
    what the control does (protect, detect, respond) and in `score_value` how well (minimal, partial, significant).
    """

    defends = serializers.BooleanField(read_only=True)

    class Meta(ReferenceSerializer.Meta):
        model = ComplianceControlMapping
        fields = (
            *ReferenceSerializer.Meta.fields,
            "mapping_type",
            "mapping_name",
            "score_category",
            "score_value",
            "defends",
            "attack_version",
            "is_current",
            "comments",
            "references",
        )
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("An enhancement", value=EXAMPLE)])
class ComplianceControlSerializer(SourcedSerializer):
    """A control or enhancement. `withdrawn` is the framework's word, `withdrawn_at` says that upstream dropped the row."""

    framework = serializers.CharField(source="framework_id", read_only=True)
    framework_version = serializers.CharField(source="framework.version", read_only=True)
    mappings = MappingSerializer(many=True, read_only=True)

    class Meta:
        model = ComplianceControl
        fields: tuple[str, ...] = FIELDS
        read_only_fields: tuple[str, ...] = FIELDS
