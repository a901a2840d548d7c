"""What the serializers of imported rows share."""

from dataclasses import asdict
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from catalog.models import Resolution, Sourced, TechniqueReference
from catalog.provenance import last_run

PROVENANCE: Final = (
    "source",
    "path",
    "version",
    "source_url",
    "license",
    "first_seen_at",
    "changed_at",
    "withdrawn_at",
)
"""Where a row came from: upstream, its file there, the version of upstream in which it last changed, and the file's address."""

PROVENANCE_EXAMPLE: Final = {
    "source": "sigma",
    "path": "rules/windows/process_creation/example.yml",
    "version": "0123456789abcdef0123456789abcdef01234567",
    "source_url": "https://github.com/SigmaHQ/sigma/blob/0123456/rules/windows/process_creation/example.yml",
    "license": "DRL-1.1",
    "first_seen_at": "2026-01-02T03:04:05Z",
    "changed_at": "2026-01-02T03:04:05Z",
    "withdrawn_at": None,
}
RUN_EXAMPLE: Final = {"last_run": {"id": 89, "url": "/runs/89"}}
REFERENCE_EXAMPLE: Final = {"published_id": "T1086", "mitre_id": "T1059.001", "resolution": "revoked-by"}


class SourcedSerializer(serializers.ModelSerializer[Any]):
    """An imported row; its provenance is `PROVENANCE`."""

    version = serializers.CharField(source="source_version", read_only=True)
    license = serializers.CharField(source="upstream_license", read_only=True)


class RunSerializer(serializers.Serializer[Any]):
    """A run of an import, and its page."""

    id = serializers.IntegerField()
    url = serializers.CharField()


class WithRunSerializer(serializers.Serializer[Any]):
    """An imported row in detail: with the run that changed it last, null for one that no run on record did."""

    last_run = serializers.SerializerMethodField()

    @extend_schema_field(RunSerializer(allow_null=True))
    def get_last_run(self, row: Sourced) -> dict[str, Any] | None:
        """By number and page."""
        run = last_run(row)
        return asdict(run) if run else None


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
