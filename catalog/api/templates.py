"""Test templates in the API."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers

from aegis.accounts.access import require_action
from aegis.lib.api import DetailEndpoint, ListEndpoint
from catalog.api.base import PROVENANCE, PROVENANCE_EXAMPLE, RUN_EXAMPLE, SourcedSerializer, WithRunSerializer, texts
from catalog.filters import TestTemplateFilter
from catalog.models import Resolution, Severity, TestTemplate

FIELDS = (
    "id",
    "external_id",
    "name",
    "description",
    "mitre_technique_id",
    "technique",
    "resolution",
    "platforms",
    "executors",
    "attack_commands",
    "cleanup_commands",
    "expected_detection",
    "severity",
    "derived",
    "input_arguments",
    "tactic",
    "usecase",
    *PROVENANCE,
)
EXAMPLE = {
    "id": 12,
    "external_id": "5e8f3a52-0000-4000-8000-000000000012",
    "name": "Ask for the time",
    "description": "Runs a harmless command.",
    "mitre_technique_id": "T1059.001",
    "technique": "T1059.001",
    "resolution": "exact",
    "platforms": ["Windows"],
    "executors": [
        {
            "platform": "Windows",
            "executor": "powershell",
            "command": "Get-Date",
            "cleanup": "",
            "elevation_required": False,
        }
    ],
    "attack_commands": "Get-Date",
    "cleanup_commands": "",
    "expected_detection": "Process creation that names PowerShell.",
    "severity": "medium",
    "derived": ["expected_detection", "severity"],
    "input_arguments": [],
    "tactic": "",
    "usecase": "",
    **PROVENANCE_EXAMPLE,
    "source": "atomic",
    "license": "MIT",
}
DETAIL_EXAMPLE = RUN_EXAMPLE | {
    "category": "",
    "privileges": "",
    "operating_system": "",
    "dependencies": [{"description": "A file must be there.", "check": "Test-Path a.txt", "get": "New-Item a.txt"}],
    "tags": [],
    "references": ["https://example.org/report"],
    "rule_links": ["https://github.com/SigmaHQ/sigma/blob/master/rules/windows/process_creation/example.yml"],
}


class ExecutorSerializer(serializers.Serializer[Any]):
    """One way to run a template."""

    platform = serializers.CharField(required=False)
    executor = serializers.CharField(required=False)
    command = serializers.CharField(required=False)
    cleanup = serializers.CharField(required=False)
    elevation_required = serializers.BooleanField(required=False)
    payloads = serializers.ListField(child=serializers.CharField(), required=False)


class ArgumentSerializer(serializers.Serializer[Any]):
    """An input of a template, with upstream's default."""

    name = serializers.CharField(required=False)
    description = serializers.CharField(required=False)
    type = serializers.CharField(required=False)
    default = serializers.CharField(required=False)


class DependencySerializer(serializers.Serializer[Any]):
    """What must be there before a template runs: how to see that it is, and how to get it."""

    description = serializers.CharField(required=False)
    check = serializers.CharField(required=False)
    get = serializers.CharField(required=False)


@extend_schema_serializer(examples=[OpenApiExample("An atomic test", value=EXAMPLE)])
class TestTemplateSerializer(SourcedSerializer):
    """A reusable emulation. `mitre_technique_id` is what upstream wrote, `technique` what it means today.

    `derived` names the fields that Aegis worked out because upstream publishes none.
    """

    mitre_technique_id = serializers.CharField(source="published_id", read_only=True)
    technique = serializers.CharField(source="technique_id", allow_null=True, read_only=True)
    resolution = serializers.ChoiceField(choices=Resolution.choices, read_only=True)
    severity = serializers.ChoiceField(choices=Severity.choices, allow_blank=True, read_only=True)
    platforms = texts()
    derived = texts()
    executors = ExecutorSerializer(many=True, read_only=True)
    input_arguments = ArgumentSerializer(many=True, read_only=True)

    class Meta:
        model = TestTemplate
        fields: tuple[str, ...] = FIELDS
        read_only_fields: tuple[str, ...] = FIELDS


@extend_schema_serializer(examples=[OpenApiExample("An atomic test, whole", value=EXAMPLE | DETAIL_EXAMPLE)])
class TestTemplateDetailSerializer(TestTemplateSerializer, WithRunSerializer):
    """A template with what it needs, and the rules that upstream says will see it."""

    dependencies = DependencySerializer(many=True, read_only=True)
    tags = texts()
    references = texts()
    rule_links: Any = serializers.SlugRelatedField(slug_field="url", many=True, read_only=True)

    class Meta(TestTemplateSerializer.Meta):
        fields = (
            *FIELDS,
            "last_run",
            "category",
            "privileges",
            "operating_system",
            "dependencies",
            "tags",
            "references",
            "rule_links",
        )
        read_only_fields = fields


@require_action("catalog.read")
@extend_schema(tags=["test templates"])
class TestTemplateList(ListEndpoint):
    """Test templates that upstream still publishes, unless withdrawn ones are asked for."""

    queryset = TestTemplate.objects.defer("dependencies", "tags", "references", "operating_system")
    serializer_class = TestTemplateSerializer
    filterset_class = TestTemplateFilter
    ordering_fields = {
        "id": "pk",
        "name": "name",
        "source": "source",
        "mitre_technique_id": "published_id",
        "changed_at": "changed_at",
    }


@require_action("catalog.read")
@extend_schema(tags=["test templates"])
class TestTemplateDetail(DetailEndpoint):
    """One test template, current or withdrawn."""

    queryset = TestTemplate.objects.prefetch_related("rule_links")
    serializer_class = TestTemplateDetailSerializer
    lookup_field = "id"
