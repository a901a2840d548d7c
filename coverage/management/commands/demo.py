"""`manage.py demo`: everything for a first look on one machine: database, all sources, a login, and the site."""

from __future__ import annotations

import os
import socket
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from coverage.figures.summary import coverage_summary
from coverage.services.snapshots import take_snapshot
from imports.models import DataSource
from imports.registry import OPTIONAL, SOURCES
from intel.models import Feed

SAMPLES = settings.BASE_DIR / "samples"
FEED_SECONDS = 15
UPSTREAM = ("codeload.github.com", 443)


class Command(BaseCommand):
    """Imports from AEGIS_MIRROR if set, else from the upstreams, else (no network) from samples/; then serves the site.

    Of the samples the optional source is imported too: nobody could have it later without a network.
    """

    help = "Set up, import all sources, print what was imported, and serve the site."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--no-serve", action="store_true", help="stop after the import")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write("Setting up the database ...")
        call_command("migrate", verbosity=0)
        mirror = self._input()
        if mirror is not None:
            self._import(mirror)
            self._scan(mirror)
        take_snapshot()
        self._print_summary()
        call_command("seed_admin", username="admin", if_none=True)
        if not options["no_serve"]:
            call_command("up", port=options["port"], stdout=self.stdout)

    def _import(self, mirror: str) -> None:
        is_fallback = mirror and not settings.AEGIS_MIRROR
        wanted = [source.slug for source in (*SOURCES, *(OPTIONAL if is_fallback else ()))]
        try:
            call_command("import_source", *wanted, mirror=mirror)
        except SystemExit:
            self.stdout.write(
                self.style.WARNING("Some sources could not be imported (see above); the others are there.")
            )

    def _scan(self, mirror: str) -> None:
        """Read the feeds, for so long and no longer: nobody waits for a host that does not answer."""
        if _lacks_feeds(mirror):
            self.stdout.write("The mirror holds no feed: there is no news yet.")
            return
        self.stdout.write(f"Reading the feeds (at most {FEED_SECONDS} seconds) ...")
        try:
            call_command("scan_intel", mirror=mirror, within=FEED_SECONDS, stdout=self.stdout)
        except (SystemExit, CommandError):
            self.stdout.write(self.style.WARNING("Not all feeds could be read (see above): the schedule tries again."))

    def _input(self) -> str | None:
        """The mirror to import from, an empty text for the upstreams, or None where there is nothing to import."""
        if settings.AEGIS_MIRROR:
            self.stdout.write(f"Importing all sources from the mirror {settings.AEGIS_MIRROR} ...")
            return str(settings.AEGIS_MIRROR)
        if _is_reachable():
            self.stdout.write("Importing all sources from their upstreams ...")
            return ""
        if DataSource.objects.filter(is_sample=False).exclude(current_version="").exists():
            self.stdout.write(self.style.WARNING("No network: the catalogue stays as it was last imported."))
            return None
        self.stdout.write(
            self.style.WARNING("No network: importing the made-up world in samples/. Set AEGIS_MIRROR for real data.")
        )
        return str(SAMPLES)

    def _print_summary(self) -> None:
        self.stdout.write("")
        summary = coverage_summary()
        for line in [*summary.lines(), *summary.lines_of_tests()]:
            self.stdout.write(line)
        self.stdout.write("")


def _is_reachable() -> bool:
    try:
        with socket.create_connection(UPSTREAM, timeout=5):
            return True
    except OSError:
        return False


def _lacks_feeds(mirror: str) -> bool:
    """Whether the mirror is a folder that has nothing of any host of a feed."""
    if not mirror or not Path(mirror).is_dir():
        return False
    hosts = {str(urlsplit(url).hostname) for url in Feed.objects.kept().values_list("url", flat=True)}
    return not any((Path(mirror) / host).exists() for host in hosts)
