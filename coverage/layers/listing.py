"""Layers as lists show them."""

from django.db.models import Count, F, Q, QuerySet

from catalog.models import Resolution
from coverage.models import Layer


def listed(layers: QuerySet[Layer, Layer]) -> QuerySet[Layer, Layer]:
    """The layers, the newest first, each with `named`, `marked` and `unresolved`: how many techniques of each kind it has."""
    unresolved = Q(techniques__resolution=Resolution.UNRESOLVED)
    return (
        layers.select_related("uploaded_by")
        .annotate(
            uploader=F("uploaded_by__username"),
            named=Count("techniques"),
            marked=Count("techniques", filter=Q(techniques__marks=True) & ~unresolved),
            unresolved=Count("techniques", filter=unresolved),
        )
        .order_by("-pk")
    )
