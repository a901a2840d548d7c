"""`manage.py verify_evidence`: read every stored file again and compare it with what was uploaded."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from coverage.models import Evidence
from coverage.services.evidence import faults, sweep


class Command(BaseCommand):
    """Prints one line for each file that is gone or changed and exits 1 if there is any."""

    help = "Re-hash all evidence; exit 1 if a file is gone or not what was uploaded."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--sweep", action="store_true", help="also remove objects that no upload finished with")

    def handle(self, *args: Any, **options: Any) -> None:
        found = faults()
        for fault in found:
            self.stdout.write(fault)
        self.stdout.write(f"{Evidence.objects.count()} files of evidence, {len(found)} wrong")
        if options["sweep"]:
            self.stdout.write(f"{sweep()} unfinished uploads removed")
        if found:
            raise SystemExit(1)
