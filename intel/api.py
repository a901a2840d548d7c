"""What the API tells of threat actors, as their upstream has it."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from catalog.api.base import (
    PROVENANCE,
    PROVENANCE_EXAMPLE,
    RUN_EXAMPLE,
    ReferenceSerializer,
    SourcedSerializer,
    WithRunSerializer,
    texts,
)
from intel.models import ThreatActor, ThreatActorTechnique

FIELDS = (
    "mitre_id",
    "name",
    "aliases",
    "description",
    "country",
    "motivation",
    "target_sectors",
    "target_regions",
    "techniques",
    "url",
    "revoked",
    "deprecated",
    "revoked_by",
    *PROVENANCE,
)
EXAMPLE = {
    "mitre_id": "G0000",
    "name": "Example Bear",
    "aliases": ["Example Bear", "Sample Group"],
    "description": "Who they are said to be.",
    "country": "",
    "motivation": "espionage",
    "target_sectors": ["government"],
    "target_regions": ["Europe"],
    "techniques": [{"published_id": "T1059.001", "mitre_id": "T1059.001", "resolution": "exact", "campaign": "C0000"}],
    "url": "https://attack.mitre.org/groups/G0000",
    "revoked": False,
    "deprecated": False,
    "revoked_by": None,
    **PROVENANCE_EXAMPLE,
    "source": "threat-actors",
    "license": "ATT&CK Terms of Use",
}
DETAIL_EXAMPLE = RUN_EXAMPLE | {
    "techniques": [
        {
            "published_id": "T1059.001",
            "mitre_id": "T1059.001",
            "resolution": "exact",
            "campaign": "C0000",
            "text": "Example Bear ran scripts.",
        }
    ],
    "attributions": [{"field": "motivation", "value": "espionage", "sentence": "It is out for secrets."}],
}
USES = ThreatActorTechnique.objects.order_by("published_id", "campaign")


class UseSerializer(ReferenceSerializer):
    """A technique that an actor uses; `campaign` is the campaign through which that is known, empty if directly."""

    class Meta(ReferenceSerializer.Meta):
        model = ThreatActorTechnique
        fields: tuple[str, ...] = (*ReferenceSerializer.Meta.fields, "campaign")
        read_only_fields: tuple[str, ...] = fields


class UseDetailSerializer(UseSerializer):
    """A technique that an actor uses, with the text that says how."""

    class Meta(UseSerializer.Meta):
        fields = (*UseSerializer.Meta.fields, "text")
        read_only_fields = fields


class AttributionSerializer(serializers.Serializer[Any]):
    """Where a fact about an actor was read: the field, its value, and the sentence of the description."""

    field = serializers.CharField(required=False)
    value = serializers.CharField(required=False)
    sentence = serializers.CharField(required=False)


@extend_schema_serializer(examples=[OpenApiExample("A group", value=EXAMPLE)])
class ThreatActorSerializer(SourcedSerializer):
    """An ATT&CK group. Country, motivation, sectors and regions are empty where the description attributes nothing."""

    aliases = texts()
    target_sectors = texts()
    target_regions = texts()
    revoked_by = serializers.CharField(source="revoked_by_id", allow_null=True, read_only=True)
    techniques = UseSerializer(source="uses", many=True, read_only=True)

    class Meta:
        model = ThreatActor
        fields: tuple[str, ...] = FIELDS
        read_only_fields: tuple[str, ...] = FIELDS


@extend_schema_serializer(
    examples=[OpenApiExample("A group, with the text of each use", value=EXAMPLE | DETAIL_EXAMPLE)]
)
class ThreatActorDetailSerializer(ThreatActorSerializer, WithRunSerializer):
    """A group with the text of each use, and the sentences that attribute."""

    techniques = UseDetailSerializer(source="uses", many=True, read_only=True)
    attributions = AttributionSerializer(many=True, read_only=True)

    class Meta(ThreatActorSerializer.Meta):
        fields: tuple[str, ...] = (*FIELDS, "attributions", "last_run")
        read_only_fields: tuple[str, ...] = fields
