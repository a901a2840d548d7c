"""Detection rules in the API."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers

from aegis.accounts.access import require_action
from aegis.lib.api import DetailEndpoint, ListEndpoint
from catalog.api.base import (
    PROVENANCE,
    PROVENANCE_EXAMPLE,
    REFERENCE_EXAMPLE,
    RUN_EXAMPLE,
    ReferenceSerializer,
    SourcedSerializer,
    WithRunSerializer,
    texts,
)
from catalog.filters import DetectionRuleFilter
from catalog.models import DetectionRule, DetectionRuleTechnique, Severity

FIELDS = (
    "id",
    "external_id",
    "name",
    "description",
    "query",
    "language",
    "rule_type",
    "severity",
    "risk_score",
    "platforms",
    "status",
    "mapped",
    "building_block",
    "techniques",
    "mitre_technique_id",
    "tactics",
    "references",
    "author",
    "license",
    *PROVENANCE,
)
EXAMPLE = {
    "id": 34,
    "external_id": "0a1b2c3d-0000-4000-8000-000000000034",
    "name": "Suspicious PowerShell Parent",
    "description": "Sees PowerShell that an office program started.",
    "query": "selection:\n  Image|endswith: '\\powershell.exe'\ncondition: selection\n",
    "language": "sigma",
    "rule_type": "sigma",
    "severity": "high",
    "risk_score": None,
    "platforms": ["Windows"],
    "status": "stable",
    "mapped": True,
    "building_block": False,
    "techniques": [REFERENCE_EXAMPLE],
    "mitre_technique_id": "T1086",
    "tactics": ["execution"],
    "references": ["https://example.org/report"],
    "author": "A. Author",
    "license": "DRL-1.1",
    **PROVENANCE_EXAMPLE,
}
DETAIL_EXAMPLE = RUN_EXAMPLE | {
    "file_name": "example.yml",
    "created": "2026-01-02",
    "modified": "",
    "tags": ["attack.execution", "attack.t1086"],
    "false_positives": ["Administrators"],
    "log_source": {"product": "windows", "category": "process_creation"},
    "simulations": ["5e8f3a52-0000-4000-8000-000000000012"],
    "content": "title: Suspicious PowerShell Parent\n",
}


class RuleReferenceSerializer(ReferenceSerializer):
    """A technique that a rule names."""

    class Meta(ReferenceSerializer.Meta):
        model = DetectionRuleTechnique


@extend_schema_serializer(examples=[OpenApiExample("A Sigma rule", value=EXAMPLE)])
class DetectionRuleSerializer(SourcedSerializer):
    """A Sigma or Elastic rule. `techniques` keeps upstream's order; `mitre_technique_id` is the first, as published."""

    severity = serializers.ChoiceField(choices=Severity.choices, allow_blank=True, read_only=True)
    platforms = texts()
    techniques = RuleReferenceSerializer(source="references_to_techniques", many=True, read_only=True)
    mitre_technique_id = serializers.SerializerMethodField()
    tactics = texts()
    references = texts()
    license = serializers.CharField(read_only=True)

    class Meta:
        model = DetectionRule
        fields: tuple[str, ...] = FIELDS
        read_only_fields: tuple[str, ...] = FIELDS

    def get_mitre_technique_id(self, rule: DetectionRule) -> str | None:
        """The first technique as published, None for a rule that names none."""
        references: list[Any] = list(rule.references_to_techniques.all())
        return references[0].published_id if references else None


@extend_schema_serializer(examples=[OpenApiExample("A Sigma rule, whole", value=EXAMPLE | DETAIL_EXAMPLE)])
class DetectionRuleDetailSerializer(DetectionRuleSerializer, WithRunSerializer):
    """A rule with the whole upstream file, and the atomic tests that upstream says will trigger it."""

    tags = texts()
    false_positives = texts()
    log_source = serializers.DictField(child=serializers.CharField(), read_only=True)
    simulations: Any = serializers.SlugRelatedField(slug_field="template_guid", many=True, read_only=True)

    class Meta(DetectionRuleSerializer.Meta):
        fields = (
            *FIELDS,
            "last_run",
            "file_name",
            "created",
            "modified",
            "tags",
            "false_positives",
            "log_source",
            "simulations",
            "content",
        )
        read_only_fields = fields


@require_action("catalog.read")
@extend_schema(tags=["detection rules"])
class DetectionRuleList(ListEndpoint):
    """Rules that name a technique and are not deprecated, unless `mapped=false` or `status=deprecated` asks for others."""

    queryset = DetectionRule.objects.defer("content", "false_positives", "tags", "log_source").prefetch_related(
        "references_to_techniques"
    )
    serializer_class = DetectionRuleSerializer
    filterset_class = DetectionRuleFilter
    ordering_fields = {
        "id": "pk",
        "name": "name",
        "source": "source",
        "status": "status",
        "changed_at": "changed_at",
    }


@require_action("catalog.read")
@extend_schema(tags=["detection rules"])
class DetectionRuleDetail(DetailEndpoint):
    """One rule, whether it is current, deprecated, unmapped or withdrawn."""

    queryset = DetectionRule.objects.prefetch_related("references_to_techniques", "simulations")
    serializer_class = DetectionRuleDetailSerializer
    lookup_field = "id"
