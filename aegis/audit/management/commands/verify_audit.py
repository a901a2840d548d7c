"""`manage.py verify_audit`: is the audit trail as it was recorded?"""

import json
from argparse import ArgumentParser, ArgumentTypeError
from itertools import islice
from time import monotonic
from typing import Any

from django.core.management.base import BaseCommand

from aegis.audit.verification import Flaw, Verification

MOST = 20


def witness(text: str) -> tuple[int, str]:
    """SIZE:MAC as `audit_head` prints them. Raises ArgumentTypeError."""
    size, _, mac = text.partition(":")
    if not (size.isascii() and size.isdigit() and len(size) <= 18 and len(mac) == 64):
        raise ArgumentTypeError(f"{text!r} is not SIZE:MAC, as `manage.py audit_head` prints it")
    return int(size), mac


class Command(BaseCommand):
    """Names the first bad row, and up to 20 more breaks. Exits 1 if there is any."""

    help = "Walk the audit trail and check every row against its signature, its neighbours and the head of the chain."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--head", type=witness, metavar="SIZE:MAC", help="what audit_head printed some time ago")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        started = monotonic()
        verification = Verification(options["head"])
        flaws = list(islice(verification.flaws(), MOST))
        seconds = round(monotonic() - started, 3)
        if options["json"]:
            found = [{"row": flaw.row, "message": flaw.message} for flaw in flaws]
            result = {"intact": not flaws, "rows": verification.rows, "flaws": found, "seconds": seconds}
            self.stdout.write(json.dumps(result))
        else:
            self._print(flaws, verification.rows, seconds)
        if flaws:
            raise SystemExit(1)

    def _print(self, flaws: list[Flaw], rows: int, seconds: float) -> None:
        for flaw in flaws:
            self.stdout.write(
                self.style.ERROR(f"row {flaw.row} {flaw.message}" if flaw.row is not None else flaw.message)
            )
        if not flaws:
            self.stdout.write(f"The audit trail is intact: {rows:,} rows in {seconds:.1f} s.")
