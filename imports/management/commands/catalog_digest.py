"""`manage.py catalog_digest`: one SHA-256 per catalogue table, for comparing two databases."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from imports.digest import catalog_digest


class Command(BaseCommand):
    """Prints "<sha256>  <table>" lines, the total last; with --json one object {table: sha256}."""

    help = "Print a SHA-256 per catalogue table over natural keys and content (no ids, no times)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        digests = catalog_digest()
        if options["json"]:
            self.stdout.write(json.dumps(digests))
            return
        for label, digest in digests.items():
            self.stdout.write(f"{digest}  {label}")
