"""`manage.py take_snapshot`: keep how coverage stands today, as the daily job does."""

from typing import Any

from django.core.management.base import BaseCommand

from coverage.services.snapshots import take_snapshot


class Command(BaseCommand):
    """Taken again on the same day, it brings the day's rows up to date."""

    help = "Keep today's figures of coverage, for all techniques and for each tactic."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = take_snapshot()
        if not rows:
            self.stdout.write("No snapshot: no ATT&CK release is imported yet.")
            return
        whole = rows[0]
        self.stdout.write(
            f"{whole.day} ({whole.release}): {whole.techniques:,} techniques, {whole.claimed:,} claimed, "
            f"{whole.proven:,} proven; {len(rows) - 1} tactics."
        )
