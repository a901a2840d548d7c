"""Threat actors in the API, each with how the techniques that it uses stand."""

from typing import Any

from django.db.models import Prefetch
from django.db.models.functions import Coalesce
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from drf_spectacular.utils import extend_schema_serializer as described
from rest_framework import serializers

from aegis.accounts.access import require_action
from aegis.lib.api import DetailEndpoint, ListEndpoint
from coverage.api.shares import SHARES_EXAMPLE, SharesSerializer, WithFacts, facts_of
from coverage.filters import CoveredActorFilter, with_proof
from intel import api as catalogue
from intel.api import USES
from intel.models import ThreatActor


class WithCoverage(serializers.ModelSerializer[ThreatActor]):
    """How the techniques of an actor stand."""

    coverage = serializers.SerializerMethodField()

    @extend_schema_field(SharesSerializer)
    def get_coverage(self, actor: ThreatActor) -> Any:
        """Of the active techniques that it uses, itself or through a campaign."""
        return facts_of(self).shares(use.technique_id for use in actor.uses.all()).for_api()


@described(examples=[OpenApiExample("A group", value=catalogue.EXAMPLE | {"coverage": SHARES_EXAMPLE})])
class CoveredActorSerializer(WithCoverage, catalogue.ThreatActorSerializer):
    """An ATT&CK group, and how the techniques that it uses stand."""

    class Meta(catalogue.ThreatActorSerializer.Meta):
        fields = (*catalogue.FIELDS, "coverage")
        read_only_fields = fields


@described(
    examples=[
        OpenApiExample(
            "A group, with the text of each use",
            value=catalogue.EXAMPLE | catalogue.DETAIL_EXAMPLE | {"coverage": SHARES_EXAMPLE},
        )
    ]
)
class CoveredActorDetailSerializer(WithCoverage, catalogue.ThreatActorDetailSerializer):
    """A group with the text of each use, the sentences that attribute, and how the techniques that it uses stand."""

    class Meta(catalogue.ThreatActorDetailSerializer.Meta):
        fields = (*catalogue.ThreatActorDetailSerializer.Meta.fields, "coverage")
        read_only_fields = fields


@require_action("intel.read")
@extend_schema(tags=["threat actors"])
class ThreatActorList(WithFacts, ListEndpoint):
    """Threat actors: active ones, unless revoked, deprecated or withdrawn ones are asked for.

    `coverage` narrows them by what is proven of their techniques. The order `proven` goes by the share that is, `techniques`
    by how many they use.
    """

    queryset = (
        with_proof(ThreatActor.objects.with_used())
        .annotate(share=Coalesce("share_proven", 0.0))
        .defer("attributions")
        .prefetch_related(Prefetch("uses", USES.defer("text")))
    )
    serializer_class = CoveredActorSerializer
    filterset_class = CoveredActorFilter
    ordering_fields = {
        "mitre_id": "mitre_id",
        "name": "name",
        "country": "country",
        "changed_at": "changed_at",
        "techniques": "used",
        "proven": "share",
        "proven_gaps": "proven_gaps",
    }


@require_action("intel.read")
@extend_schema(tags=["threat actors"])
class ThreatActorDetail(WithFacts, DetailEndpoint):
    """One threat actor, active or not."""

    queryset = ThreatActor.objects.prefetch_related(Prefetch("uses", USES))
    serializer_class = CoveredActorDetailSerializer
    lookup_field = "mitre_id"
