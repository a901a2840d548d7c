"""`manage.py health [NAME ...]`: whether database, broker, storage and the rest are there, for people and for containers."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from imports.readiness import CHECKS, NEEDED, findings


class Command(BaseCommand):
    """Exits with 1 when one of those that were asked about is not well."""

    help = f"Tell what Aegis can reach. Without names: {', '.join(NEEDED)}."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CHECKS)}")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = [name for name in options["names"] if name not in CHECKS]
        if unknown:
            self.stderr.write(f"There is no {unknown[0]!r} to ask about: {', '.join(CHECKS)}.")
            raise SystemExit(2)
        found = findings(*(options["names"] or NEEDED))
        for finding in found:
            self.stdout.write(f"{finding.name}: {finding.trouble or 'well'}")
        if not all(finding.is_well for finding in found):
            raise SystemExit(1)
