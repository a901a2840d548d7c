"""The snapshots that a bundle is made of: what stands here and is kept, or else what upstream has."""

from __future__ import annotations

from django.conf import settings

from imports.bundles.writing import Item
from imports.fetchers import FetchError, Snapshot
from imports.fetching import fetch_source
from imports.models import DataSource
from imports.snapshots import kept
from imports.upstream import Source


def gather(source: Source, *, mirror: str = "", fresh: bool = False) -> Item:
    """The snapshot of one source: the imported one where it is kept, unless it is of the samples, a mirror is named or `fresh`.

    Raises FetchError.
    """
    row = DataSource.objects.filter(slug=source.slug).first()
    if row and row.digest and not (mirror or fresh or row.is_sample):
        snapshot = kept(source.slug, row.digest)
        if snapshot is not None:
            return Item(source, snapshot, row.current_version)
    found = fetch_source(source, mirror=mirror or settings.AEGIS_MIRROR)
    if not isinstance(found, Snapshot):
        raise FetchError(f"{source.label} is said to be unchanged although nothing was compared. Try again later.")
    known = row.current_version if row and row.digest == found.digest else ""
    return Item(source, found, found.version or known)
