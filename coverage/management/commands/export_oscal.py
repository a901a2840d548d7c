"""`manage.py export_oscal`: assessment results of a framework in OSCAL."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.models import ComplianceFramework
from coverage.oscal.facts import NothingProven
from coverage.services.oscal import export_results


class Command(BaseCommand):
    """Writes what `GET /api/v1/compliance/frameworks/{slug}/oscal` answers."""

    help = "Write the assessment results of a framework in OSCAL 1.1.3 (JSON)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("framework", help="its slug, as in the address of its page: nist-800-53-rev5")
        parser.add_argument(
            "--output", type=Path, help="the file to write; without it the document goes to standard output"
        )

    def handle(self, *args: Any, framework: str, output: Path | None = None, **options: Any) -> None:
        found = ComplianceFramework.objects.filter(slug=framework).first()
        if found is None:
            known = ", ".join(ComplianceFramework.objects.values_list("slug", flat=True)) or "none: import one first"
            raise CommandError(f"There is no framework {framework}. There are: {known}.")
        try:
            export = export_results(None, found)
        except NothingProven as error:
            raise CommandError(str(error)) from error
        if output is None:
            for piece in export.pieces:
                sys.stdout.buffer.write(piece)
            return
        with output.open("wb") as file:
            file.writelines(export.pieces)
        self.stdout.write(f"{output}: {export.observations:,} observations, {export.findings:,} findings.")
