"""`manage.py export_bundle`: the snapshots of all sources in one signed file, for an installation without a network."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils import timezone

from aegis.audit.recording import Subject, record
from imports.bundles.gathering import gather
from imports.bundles.keys import BadKey, key_id, read_private
from imports.bundles.writing import Item, write_bundle
from imports.fetchers import FetchError
from imports.models import DataSource
from imports.registry import OPTIONAL, SOURCES
from imports.services import SOURCE_OF


class Command(BaseCommand):
    """Prints one line for each source. Writes the file only if every source could be had."""

    help = (
        "Write one signed file with the snapshots of all sources; of the optional ones those enabled or imported here."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="the bundle to write")
        parser.add_argument("--key", type=Path, required=True, metavar="FILE", help="private key of `bundle_key`")
        parser.add_argument(
            "--source", action="append", choices=list(SOURCE_OF), help="only this one; may be given again"
        )
        parser.add_argument("--mirror", default="", help="fetch from this folder or URL instead of what is kept here")
        parser.add_argument("--fresh", action="store_true", help="fetch from upstream instead of what is kept here")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            key = read_private(options["key"])
            items = [
                self._gathered(slug, options["mirror"], options["fresh"]) for slug in options["source"] or _wanted()
            ]
        except (BadKey, FetchError) as error:
            raise CommandError(f"{error} No bundle was written.") from error
        file: Path = options["to"]
        try:
            contents = write_bundle(
                file, items, key, made_at=timezone.now(), made_by=f"Aegis {settings.SPECTACULAR_SETTINGS['VERSION']}"
            )
        except OSError as error:
            raise CommandError(f"{file} cannot be written ({error.strerror}).") from error
        facts = {"sources": [each.source for each in contents.snapshots], "signed_by": key_id(key.public_key())}
        record(None, "bundle.exported", Subject("imports.bundle", "", file.name[:255]), after=facts)
        size = file.stat().st_size
        self.stdout.write(f"{file}: {len(items)} sources, {size:,} bytes, signed with {key_id(key.public_key())}")

    def _gathered(self, slug: str, mirror: str, fresh: bool) -> Item:
        item = gather(SOURCE_OF[slug], mirror=mirror, fresh=fresh)
        files = len(item.snapshot.pieces)
        self.stdout.write(f"{slug:<14} {item.version[:12]:<12} {files:>5,} files  {item.snapshot.origin}")
        return item


def _wanted() -> list[str]:
    """The nine sources, and the optional ones that are enabled or were imported here."""
    imported = Q(is_sample=False) & ~Q(digest="")
    found = set(DataSource.objects.filter(Q(enabled=True) | imported).values_list("slug", flat=True))
    return [source.slug for source in (*SOURCES, *(one for one in OPTIONAL if one.slug in found))]
