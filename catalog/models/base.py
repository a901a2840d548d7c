"""What imported rows share: where each came from, and how the technique ids in them were resolved."""

from __future__ import annotations

from typing import ClassVar, Final, Self

from django.db import models

from aegis.lib.upstreams import upstream

LOCAL: Final = "local"
"""The source of rows that somebody wrote here: no upstream has it, and so no import withdraws them."""


class SourcedQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Questions that can be asked of every imported row."""

    def current(self) -> Self:
        """Rows that upstream still publishes."""
        return self.filter(withdrawn_at=None)

    def withdrawn(self) -> Self:
        """Rows that upstream dropped: kept, because tests and evidence may point at them."""
        return self.exclude(withdrawn_at=None)


class Sourced(models.Model):
    """Provenance of one imported row.

    `source_version` is the upstream version (commit or release) in which the content was last seen to change: together
    with `path` it names the exact file, and `source_url` is its address. Rows that upstream drops get `withdrawn_at` and stay.
    """

    source = models.CharField(max_length=64, db_index=True, editable=False)
    path = models.CharField(max_length=512, editable=False)
    source_version = models.CharField(max_length=128, blank=True, editable=False)
    source_url = models.CharField(max_length=1024, blank=True, editable=False)
    content_hash = models.CharField(max_length=64, editable=False)
    first_seen_at = models.DateTimeField(editable=False)
    changed_at = models.DateTimeField(editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_current(self) -> bool:
        """Whether upstream still publishes this row."""
        return self.withdrawn_at is None

    @property
    def upstream_license(self) -> str:
        """The licence of the source; empty for rows that somebody wrote here."""
        return upstream(self.source).license

    @property
    def is_local(self) -> bool:
        """Whether somebody wrote this row here."""
        return self.source == LOCAL


class Resolution(models.TextChoices):
    """How a published technique id found its technique in the current ATT&CK release."""

    EXACT = "exact", "Exact"
    REVOKED_BY = "revoked-by", "Revoked by"
    CROSSWALK = "crosswalk", "Crosswalk"
    UNRESOLVED = "unresolved", "Unresolved"


class TechniqueReference(models.Model):
    """A technique id as upstream published it, and the technique that it means in the current release, if any."""

    published_id = models.CharField(max_length=64, db_index=True)
    technique = models.ForeignKey(
        "catalog.Technique", models.PROTECT, to_field="mitre_id", null=True, blank=True, editable=False
    )
    resolution = models.CharField(max_length=16, choices=Resolution, default=Resolution.UNRESOLVED, editable=False)

    OWNER: ClassVar[str] = ""
    """Name of the foreign key to the imported row that holds the reference; empty where the row itself is that."""

    class Meta:
        abstract = True

    @classmethod
    def owner(cls, field: str) -> str:
        """The lookup of a field of the imported row that holds the reference."""
        return f"{cls.OWNER}__{field}" if cls.OWNER else field

    @classmethod
    def owner_model(cls) -> type[models.Model]:
        """The model of the imported row that holds the reference."""
        if not cls.OWNER:
            return cls
        related = cls._meta.get_field(cls.OWNER).related_model
        assert isinstance(related, type), cls  # noqa: S101  a foreign key leads to a model once the apps are loaded
        return related
