"""`manage.py recompute_status`: the status of every technique anew, from its tests; `--check` only compares."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from coverage.services.review import flag_old
from coverage.services.status import drift, refresh_all


class Command(BaseCommand):
    """Derived columns are written with their cause, so that `--check` finds nothing; exit status 1 if it does."""

    help = (
        "Recalculate the coverage status of all techniques, and have those reviewed that were not validated for long."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything differs")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
        else:
            self._recompute()

    def _check(self) -> None:
        differences = list(drift())
        for line in differences:
            self.stdout.write(self.style.ERROR(line))
        if differences:
            raise SystemExit(1)
        self.stdout.write("The status of every technique is what its tests say.")

    def _recompute(self) -> None:
        changed, old = refresh_all(), flag_old()
        self.stdout.write(f"{len(changed)} statuses changed, {len(old)} techniques are due for review by age.")
