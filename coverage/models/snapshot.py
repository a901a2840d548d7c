"""How coverage stood on a day: one row for each day and tactic, and one for all techniques. Kept for ever."""

from __future__ import annotations

from django.db import models


class CoverageSnapshot(models.Model):
    """The figures of one day, as the last snapshot of that day had them. `tactic` is a short name, empty for all techniques.

    `release` is the ATT&CK release that was counted in: where it changes, so does what a percentage is a share of.
    """

    day = models.DateField()
    tactic = models.CharField(max_length=64, blank=True)
    release = models.CharField(max_length=255, blank=True)
    taken_at = models.DateTimeField()
    techniques = models.PositiveIntegerField()
    claimed = models.PositiveIntegerField()
    testable = models.PositiveIntegerField()
    validated = models.PositiveIntegerField()
    partial = models.PositiveIntegerField()
    in_progress = models.PositiveIntegerField()
    not_covered = models.PositiveIntegerField()
    proven = models.PositiveIntegerField()
    proven_gaps = models.PositiveIntegerField()

    class Meta:
        ordering = ["day", "tactic"]
        constraints = [models.UniqueConstraint(fields=["tactic", "day"], name="one_snapshot_a_day_and_tactic")]

    def __str__(self) -> str:
        return f"{self.day} {self.tactic or 'all techniques'}"
