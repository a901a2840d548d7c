"""Tactics and techniques in the API."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers

from aegis.accounts.access import require_action
from aegis.lib.api import ListEndpoint
from catalog.api.base import PROVENANCE, PROVENANCE_EXAMPLE, SourcedSerializer, texts
from catalog.models import AttackRelease, Tactic, Technique

TECHNIQUE_EXAMPLE = {
    "mitre_id": "T1059.001",
    "name": "PowerShell",
    "description": "What adversaries do with it.",
    "tactic": "execution",
    "tactics": ["execution"],
    "platforms": ["Windows"],
    "is_subtechnique": True,
    "parent": "T1059",
    "url": "https://attack.mitre.org/techniques/T1059/001",
    "object_version": "1.4",
    "attack_version": "18.1",
    "revoked": False,
    "deprecated": False,
    "revoked_by": None,
    **PROVENANCE_EXAMPLE,
    "source": "attack",
    "license": "ATT&CK Terms of Use",
}


TACTIC_EXAMPLE = {
    "mitre_id": "TA0002",
    "shortname": "execution",
    "name": "Execution",
    "description": "Somebody tries to run code.",
    "position": 3,
    "url": "https://attack.mitre.org/tactics/TA0002",
    **PROVENANCE_EXAMPLE,
    "source": "attack",
    "license": "ATT&CK Terms of Use",
}


@extend_schema_serializer(examples=[OpenApiExample("A tactic", value=TACTIC_EXAMPLE)])
class TacticSerializer(SourcedSerializer):
    """A tactic; `position` is the release's own order."""

    class Meta:
        model = Tactic
        fields = ("mitre_id", "shortname", "name", "description", "position", "url", *PROVENANCE)
        read_only_fields = fields


@require_action("catalog.read")
@extend_schema(tags=["techniques"])
class TacticList(ListEndpoint):
    """The tactics of the current release, in its order."""

    queryset = Tactic.objects.active()
    serializer_class = TacticSerializer


class TechniqueSerializer(SourcedSerializer):
    """A technique. `tactic` is the first of `tactics`; `attack_version` the release that the catalogue holds."""

    tactics = serializers.SerializerMethodField()
    tactic = serializers.SerializerMethodField()
    platforms = texts()
    parent = serializers.CharField(source="parent_id", allow_null=True, read_only=True)  # type: ignore[assignment]
    revoked_by = serializers.CharField(source="revoked_by_id", allow_null=True, read_only=True)
    attack_version = serializers.SerializerMethodField()

    class Meta:
        model = Technique
        fields: tuple[str, ...] = (
            "mitre_id",
            "name",
            "description",
            "tactic",
            "tactics",
            "platforms",
            "is_subtechnique",
            "parent",
            "url",
            "object_version",
            "attack_version",
            "revoked",
            "deprecated",
            "revoked_by",
            *PROVENANCE,
        )
        read_only_fields: tuple[str, ...] = fields

    def get_tactics(self, technique: Technique) -> list[str]:
        """The shortnames, in upstream's order."""
        return [place.tactic_id for place in technique.technique_tactics.all()]

    def get_tactic(self, technique: Technique) -> str:
        """The first of them, empty if there is none."""
        return next(iter(self.get_tactics(technique)), "")

    def get_attack_version(self, technique: Technique) -> str:
        """The version of the release, looked up once for all rows; empty before the first import."""
        context = cast(dict[str, Any], self.context)
        if "attack_version" not in context:
            release = AttackRelease.objects.current().first()
            context["attack_version"] = release.version if release else ""
        return str(context["attack_version"])


def technique_example(**more: Any) -> dict[str, Any]:
    """The example with further fields."""
    return TECHNIQUE_EXAMPLE | more
