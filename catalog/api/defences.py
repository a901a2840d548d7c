"""D3FEND's defensive techniques in the API."""

from typing import Any

from django.db.models import Prefetch
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
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
from catalog.filters import DefensiveTechniqueFilter
from catalog.models import DefensiveTechnique, DefensiveTechniqueMapping

FIELDS = ("id", "d3fend_id", "name", "description", "tactic", "parent", "synonyms", "url", "techniques", *PROVENANCE)
EXAMPLE = {
    "id": 56,
    "d3fend_id": "D3-PSA",
    "name": "Process Spawn Analysis",
    "description": "What the defence does.",
    "tactic": "Detect",
    "parent": "D3-PA",
    "synonyms": [],
    "url": "https://d3fend.mitre.org/technique/d3f:ProcessSpawnAnalysis",
    "techniques": [REFERENCE_EXAMPLE],
    **PROVENANCE_EXAMPLE,
    "source": "d3fend",
    "license": "MIT (D3FEND terms of use)",
}
DETAIL_EXAMPLE = RUN_EXAMPLE | {
    "techniques": [
        REFERENCE_EXAMPLE
        | {
            "paths": [
                {
                    "defense_relation": "analyzes",
                    "defense_artifact": "Process",
                    "attack_relation": "creates",
                    "attack_artifact": "Process",
                }
            ]
        }
    ]
}
COUNTERED = DefensiveTechniqueMapping.objects.order_by("published_id")


class CounteredSerializer(ReferenceSerializer):
    """A technique that a defence counters."""

    class Meta(ReferenceSerializer.Meta):
        model = DefensiveTechniqueMapping


class PathSerializer(serializers.Serializer[Any]):
    """Why a defence counters a technique: what each of them does to which artifact."""

    defense_relation = serializers.CharField(required=False)
    defense_artifact = serializers.CharField(required=False)
    attack_relation = serializers.CharField(required=False)
    attack_artifact = serializers.CharField(required=False)


class CounteredDetailSerializer(CounteredSerializer):
    """A technique that a defence counters, and why."""

    paths = PathSerializer(many=True, read_only=True)

    class Meta(CounteredSerializer.Meta):
        fields = (*ReferenceSerializer.Meta.fields, "paths")
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("A defence", value=EXAMPLE)])
class DefensiveTechniqueSerializer(SourcedSerializer):
    """A D3FEND technique. `parent` is a D3FEND id."""

    parent = serializers.CharField(source="parent_id", allow_null=True, read_only=True)  # type: ignore[assignment]
    synonyms = texts()
    techniques = CounteredSerializer(source="mappings", many=True, read_only=True)

    class Meta:
        model = DefensiveTechnique
        fields: tuple[str, ...] = FIELDS
        read_only_fields: tuple[str, ...] = FIELDS


@extend_schema_serializer(examples=[OpenApiExample("A defence, with reasons", value=EXAMPLE | DETAIL_EXAMPLE)])
class DefensiveTechniqueDetailSerializer(DefensiveTechniqueSerializer, WithRunSerializer):
    """A defence with the reasons why it counters each technique."""

    techniques = CounteredDetailSerializer(source="mappings", many=True, read_only=True)

    class Meta(DefensiveTechniqueSerializer.Meta):
        fields = (*FIELDS, "last_run")
        read_only_fields = fields


@require_action("catalog.read")
@extend_schema(tags=["defensive techniques"])
class DefensiveTechniqueList(ListEndpoint):
    """Defences by D3FEND's tactics, unless withdrawn ones are asked for."""

    queryset = DefensiveTechnique.objects.prefetch_related(Prefetch("mappings", COUNTERED.defer("paths")))
    serializer_class = DefensiveTechniqueSerializer
    filterset_class = DefensiveTechniqueFilter
    ordering_fields = {"id": "pk", "d3fend_id": "d3fend_id", "name": "name", "changed_at": "changed_at"}


@require_action("catalog.read")
@extend_schema(
    tags=["defensive techniques"],
    parameters=[OpenApiParameter("id", str, "path", description="The row's number, or its D3FEND id (D3-PSA).")],
)
class DefensiveTechniqueDetail(DetailEndpoint):
    """One defence, current or withdrawn."""

    queryset = DefensiveTechnique.objects.prefetch_related(Prefetch("mappings", COUNTERED))
    serializer_class = DefensiveTechniqueDetailSerializer

    def get_object(self) -> Any:
        """The row. Raises Http404."""
        name = self.kwargs["id"]
        lookup = {"pk": name} if name.isdigit() else {"d3fend_id": name}
        return get_object_or_404(self.get_queryset(), **lookup)
