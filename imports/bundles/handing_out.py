"""Hands out a bundle of what was imported here, for an Aegis without a network; signed with the key of this installation."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import BinaryIO, Final

from django.conf import settings
from django.utils import timezone

from aegis.accounts.models import User
from aegis.audit.recording import Subject, record
from imports.bundles.keys import key_id, read_private
from imports.bundles.writing import Item, write_bundle
from imports.fetchers import FetchError
from imports.models import DataSource
from imports.services import SOURCE_OF
from imports.snapshots import kept

MADE_BY: Final = f"Aegis {settings.SPECTACULAR_SETTINGS['VERSION']}"


def imported_items() -> list[Item]:
    """The snapshot of each source that was imported and is still kept; samples are left out. Nothing is fetched."""
    items = []
    for row in DataSource.objects.filter(is_sample=False, slug__in=SOURCE_OF).exclude(digest=""):
        snapshot = kept(row.slug, row.digest)
        if snapshot is not None:
            items.append(Item(SOURCE_OF[row.slug], snapshot, row.current_version))
    return items


def hand_out(by: User) -> tuple[BinaryIO, str]:
    """The bundle, open for reading and without a name on disk, and what to call it. Raises FetchError, OSError."""
    if not settings.AEGIS_BUNDLE_SIGNING_KEY:
        raise FetchError("This installation has no key to sign bundles with: set AEGIS_BUNDLE_SIGNING_KEY.")
    key = read_private(Path(settings.AEGIS_BUNDLE_SIGNING_KEY))
    items = imported_items()
    if not items:
        raise FetchError("Nothing was imported yet that could be bundled: sync the sources first.")
    now = timezone.now()
    name = f"aegis-{now:%Y-%m-%d}.bundle"
    with tempfile.TemporaryDirectory(prefix="aegis-bundle-") as folder:
        file = Path(folder) / name
        contents = write_bundle(file, items, key, made_at=now, made_by=MADE_BY)
        opened = file.open("rb")  # it can be read to its end when its name is gone
    facts = {"sources": [each.source for each in contents.snapshots], "signed_by": key_id(key.public_key())}
    record(by, "bundle.exported", Subject("imports.bundle", "", name), after=facts)
    return opened, name
