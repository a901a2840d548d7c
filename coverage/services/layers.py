"""Keeping layers that people upload, and letting them go."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import IO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from aegis.accounts.models import User
from aegis.audit.recording import record
from catalog.models import Technique
from catalog.resolution import Resolver
from coverage.evidence.vault import TooLarge
from coverage.layers.reading import NotALayer, ReadLayer, read
from coverage.models import Layer, LayerTechnique
from coverage.services.writing import permit

BATCH = 2000


def upload_layer(
    *,
    by: User,
    file: IO[bytes],
    name: str = "",
    description: str = "",
    purpose: str = Layer.Purpose.OVERLAY,
    is_shared: bool = False,
) -> Layer:
    """The layer in `file`, kept for `by` or for all; it brings its own name and description where none is given.

    Raises NotAllowed, TooLarge, ValidationError {field: messages} for what is no layer that Aegis reads.
    """
    permit(by, "layer.upload")
    data = _bytes(file)
    try:
        found = read(data)
    except NotALayer as error:
        raise ValidationError({"file": [str(error)]}) from error
    layer = Layer(
        name=name.strip() or found.name,
        description=description.strip() or found.description,
        purpose=purpose,
        is_shared=is_shared,
        layer_version=found.layer_version,
        attack_version=found.attack_version,
        sha256=sha256(data).hexdigest(),
        uploaded_by=by,
    )
    layer.full_clean(exclude=["uploaded_by"])
    return _kept(by, layer, found)


@transaction.atomic
def delete_layer(*, by: User, layer: Layer) -> None:
    """Take a layer away, for everybody. Raises NotAllowed."""
    permit(by, "layer.delete", layer)
    record(by, "layer.deleted", layer, before=_facts(layer))
    layer.delete()


def resolve_layers(resolver: Resolver | None = None) -> int:
    """Resolve what layers name against the catalogue as it is now. Returns the number of rows written."""
    rows = LayerTechnique.objects.all()
    standing = set(rows.order_by().values_list("published_id", "technique_id", "resolution").distinct())
    resolver = resolver or (Resolver.load() if standing else Resolver([], []))
    written = 0
    for published_id, technique, resolution in standing:
        found = resolver.resolve(published_id)
        if (found.mitre_id, str(found.resolution)) != (technique and str(technique), resolution):
            stale = rows.filter(published_id=published_id, technique=technique)
            written += stale.update(technique=found.mitre_id, resolution=found.resolution)
    return written


def used_techniques(layer: Layer) -> list[Technique]:
    """The active techniques that a layer marks, by ATT&CK id."""
    marked = LayerTechnique.objects.filter(layer=layer, marks=True).values("technique")
    return list(Technique.objects.active().filter(mitre_id__in=marked).order_by("mitre_id"))


@transaction.atomic
def _kept(by: User, layer: Layer, found: ReadLayer) -> Layer:
    layer.save()
    LayerTechnique.objects.bulk_create(_rows(layer, found), batch_size=BATCH)
    record(by, "layer.uploaded", layer, after=_facts(layer) | {"techniques": len(found.entries)})
    return layer


def _rows(layer: Layer, found: ReadLayer) -> Iterable[LayerTechnique]:
    resolver = Resolver.load()
    for entry in found.entries:
        resolved = resolver.resolve(entry.published_id)
        yield LayerTechnique(
            layer=layer,
            published_id=entry.published_id,
            technique_id=resolved.mitre_id,
            resolution=resolved.resolution,
            score=entry.score,
            comment=entry.comment,
            marks=entry.marks,
        )


def _bytes(file: IO[bytes]) -> bytes:
    """The whole file. Raises TooLarge before more is read than may be."""
    limit = settings.LAYER_MAX_BYTES
    data = file.read(limit + 1)
    if len(data) > limit:
        raise TooLarge(f"A layer may have {limit // (1024 * 1024)} MB.")
    return data


def _facts(layer: Layer) -> dict[str, object]:
    return {
        "name": layer.name,
        "purpose": layer.purpose,
        "is_shared": layer.is_shared,
        "layer_version": layer.layer_version,
        "sha256": layer.sha256,
    }
