"""What the serializers of imported rows share."""

from typing import Any, Final

from rest_framework import serializers

from catalog.models import Resolution, TechniqueReference

PROVENANCE: Final = ("source", "path", "version", "source_url", "first_seen_at", "changed_at", "withdrawn_at")
"""Where a row came from: upstream, its file there, the version of upstream in which it last changed, and the file's address."""

PROVENANCE_EXAMPLE: Final = {
    "source": "sigma",
    "path": "rules/windows/process_creation/example.yml",
    "version": "0123456789abcdef0123456789abcdef01234567",
    "source_url": "https://github.com/SigmaHQ/sigma/blob/0123456/rules/windows/process_creation/example.yml",
    "first_seen_at": "2026-01-02T03:04:05Z",
    "changed_at": "2026-01-02T03:04:05Z",
    "withdrawn_at": None,
}
REFERENCE_EXAMPLE: Final = {"published_id": "T1086", "mitre_id": "T1059.001", "resolution": "revoked-by"}


class SourcedSerializer(serializers.ModelSerializer[Any]):
    """An imported row; its provenance is `PROVENANCE`."""

    version = serializers.CharField(source="source_version", read_only=True)


def texts() -> serializers.ListField:
    """A field that is a list of texts."""
    return serializers.ListField(child=serializers.CharField(), read_only=True)


class ReferenceSerializer(serializers.ModelSerializer[Any]):
    """A technique id as upstream published it, the technique that it means in the current release, and how it was found."""

    mitre_id = serializers.CharField(source="technique_id", allow_null=True, read_only=True)
    resolution = serializers.ChoiceField(choices=Resolution.choices, read_only=True)

    class Meta:
        model = TechniqueReference
        fields: tuple[str, ...] = ("published_id", "mitre_id", "resolution")
        read_only_fields: tuple[str, ...] = fields
