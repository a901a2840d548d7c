"""How a data source stands: what its last run did, whether one is under way, and when it should be synced again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, Q

from imports.life import is_dead
from imports.models import DataSource, ImportRun
from imports.registry import OPTIONAL
from imports.row_pages import kind_name
from imports.services import SOURCE_OF
from imports.upstream import GitHubArchive, Source

COMMIT = re.compile(r"[0-9a-f]{40}")
FAILED: Final = (ImportRun.Status.FAILED, ImportRun.Status.ABANDONED)

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)

NEWEST: Final = ("last", "good", "applied", "active")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """One data source. Previews count nowhere here: they wrote nothing.

    `last` is its newest ended run, `good` the newest that succeeded or found nothing new, `applied` the newest that read what
    stands now (its kinds and issues still hold), `active` the one under way. `source` is None for a row whose upstream this
    version of Aegis no longer knows.
    """

    row: DataSource
    source: Source | None
    last: ImportRun | None
    good: ImportRun | None
    applied: ImportRun | None
    active: ImportRun | None

    @property
    def is_optional(self) -> bool:
        """Whether it is none of the nine: it does nothing until an admin enables it."""
        return self.source in OPTIONAL

    @property
    def word(self) -> str:
        """The state as a badge: running before failed before disabled."""
        if self.active:
            return self.active.status
        if not self.row.enabled and not self.failed:
            return "disabled"
        if self.last and self.last.status == ImportRun.Status.HELD and not self.held:
            return self.good.status if self.good else "discarded"
        return self.last.status if self.last else "never"

    @property
    def held(self) -> ImportRun | None:
        """The last run, if it is held and somebody has to decide."""
        is_held = self.active is None and self.last is not None and self.last.status == ImportRun.Status.HELD
        return self.last if is_held and self.last and self.last.is_open else None

    @property
    def failed(self) -> bool:
        """Whether the last run failed and none is under way since."""
        return self.active is None and self.last is not None and self.last.status in FAILED

    @property
    def waits(self) -> bool:
        """Whether the active run waits for a worker to begin it."""
        return self.active is not None and self.active.is_waiting

    @property
    def is_silent(self) -> bool:
        """Whether the active run has not been heard of for so long that its process must have ended."""
        return self.active is not None and is_dead(self.active)

    @property
    def cadence(self) -> str:
        """How often it is synced by itself ("every 30 days"), empty if it is not."""
        every = self.row.every
        return cadence(every) if self.source and self.row.enabled and every else ""

    @property
    def due_at(self) -> datetime | None:
        """When the next sync is due, None if it is not synced by itself or never was synced."""
        return self.row.next_sync_at if self.source else None

    @property
    def is_due(self) -> bool:
        """Whether that time has come and no run is under way."""
        return self.source is not None and self.active is None and self.row.is_due

    @property
    def version_url(self) -> str:
        """The upstream page of the imported version, empty where there is none."""
        return version_url(self.source, self.row.current_version)

    @property
    def kinds(self) -> list[tuple[str, int]]:
        """(kind of row, rows that upstream publishes), as the last run that wrote found them."""
        counts_of = self.applied.kinds if self.applied else {}
        return [(kind_name(label), published(counts)) for label, counts in counts_of.items()]


CHOICES: Final = (
    (24, "every day"),
    (168, "every week"),
    (720, "every 30 days"),
    (2160, "every 90 days"),
    (8760, "every year"),
)
"""Schedules that a page offers: hours, and words."""


def hours_of(every: timedelta | None) -> int | None:
    """A schedule in whole hours, at least one; None for "by hand only"."""
    return None if every is None else max(1, round(every / HOUR))


def cadence(every: timedelta) -> str:
    """A schedule in words: "every day", "every 30 days", "every 36 hours"."""
    if every % DAY:
        return f"every {every / HOUR:g} hours" if every != HOUR else "every hour"
    return {1: "every day", 7: "every week", 365: "every year"}.get(every // DAY, f"every {every // DAY} days")


def published(counts: dict[str, int]) -> int:
    """The rows of one kind that a run found upstream."""
    return sum(counts.get(name, 0) for name in ("created", "updated", "unchanged", "restored"))


def version_url(source: Source | None, version: str) -> str:
    """The page of a repository at a commit, empty for a version that is no commit."""
    archives = [part for part in (source.fetch if source else ()) if isinstance(part, GitHubArchive)]
    if not (archives and COMMIT.fullmatch(version)):
        return ""
    return f"https://github.com/{archives[-1].repository}/tree/{version}"


def source_states(sources: Iterable[DataSource] | None = None) -> list[SourceState]:
    """The state of each source, all if none are given; failed ones first. Three queries."""
    rows = list(DataSource.objects.all() if sources is None else sources)
    newest = _newest(rows)
    runs = ImportRun.objects.in_bulk([pk for pks in newest.values() for pk in pks.values() if pk])
    states = [_state(row, {name: runs.get(pk or 0) for name, pk in newest.get(row.pk, {}).items()}) for row in rows]
    return sorted(states, key=lambda state: not state.failed)


def _newest(rows: list[DataSource]) -> dict[int, dict[str, int | None]]:
    """The newest run of each source by what it is the newest of."""
    real = ImportRun.objects.filter(source__in=rows, dry_run=False).order_by().values("source")
    found = real.annotate(
        last=Max("pk", filter=~Q(status__in=ImportRun.ACTIVE)),
        good=Max("pk", filter=Q(status__in=ImportRun.GOOD)),
        applied=Max("pk", filter=Q(status=ImportRun.Status.SUCCEEDED)),
        active=Max("pk", filter=Q(status__in=ImportRun.ACTIVE)),
    )
    return {row["source"]: {name: row[name] for name in NEWEST} for row in found.values("source", *NEWEST)}


def _state(row: DataSource, runs: dict[str, ImportRun | None]) -> SourceState:
    for run in runs.values():
        if run:
            run.source = row
    newest = {name: runs.get(name) for name in NEWEST}
    return SourceState(row=row, source=SOURCE_OF.get(row.slug), **newest)
