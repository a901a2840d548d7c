"""One import of one source, whatever the source: fetch, parse, compare, store in one transaction, count.

A preview is the same code with the catalogue rolled back at the end; importing the same snapshot again writes no catalogue row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from django.db import transaction

from catalog.models import Technique, TechniqueCrosswalk
from catalog.resolution import Resolver, resolve_again, unresolved_by_source
from imports.intake import Found, Intake, check_readable, parse_file, take_in
from imports.left_out import left_out
from imports.models import ImportChange
from imports.records import Record
from imports.store import Provenance, Tally, Written, make_plan, store_children, store_rows
from imports.targets import TARGETS, Target
from imports.upstream import HttpsFile, Issue, Source, SourceFile


class Progress(Protocol):
    """Called with the step's name, what is done of it, its total where that is known, and the rows that were read so far."""

    def __call__(self, step: str, done: int, total: int | None, rows: int = 0) -> None: ...


@dataclass
class Outcome:
    """What an import did, or would do. `kinds` has the counts by model label."""

    version: str = ""
    kinds: dict[str, Tally] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    skipped: int = 0
    unresolved: int = 0
    references_moved: int = 0

    def total(self, name: str) -> int:
        """The sum of one count ("created", ...) over all kinds."""
        return sum(getattr(tally, name) for tally in self.kinds.values())

    @property
    def changes(self) -> Iterator[ImportChange]:
        """All changes, kind by kind."""
        for tally in self.kinds.values():
            yield from tally.changes


def importer_fingerprint() -> str:
    """SHA-256 over the code that turns bytes into rows: when it changes, an unmodified snapshot is imported all the same."""
    here = Path(__file__).parent
    digest = sha256()
    for path in sorted([*here.glob("*.py"), *here.glob("sources/*.py"), *here.glob("readers/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read(source: Source, files: Iterable[SourceFile], total: int, progress: Progress) -> Intake:
    """Parse all files of a snapshot. Raises SourceUnreadable where too many cannot be read, or one of a joined source."""
    parsed: list[tuple[str, list[Found]]] = []
    rows = 0
    for number, file in enumerate(files, 1):
        found = parse_file(source, file)
        parsed.append((file.path, found))
        rows += sum(isinstance(one, Record) for one in found)
        progress("parse", number, total, rows)
    check_readable(parsed)
    return take_in(source, parsed)


class Store:
    """Stores one intake. Must run inside a transaction. `outcome` grows as it goes."""

    def __init__(self, source: Source, intake: Intake, version: str, now: datetime) -> None:
        self._source = source
        self._intake = intake
        self._provenance = Provenance(source.slug, version, now, lambda path: page_of(source, path, version))
        self._written: list[Written] = []
        self.outcome = Outcome(version=version, issues=intake.issues, skipped=intake.skipped)

    @cached_property
    def _resolver(self) -> Resolver:
        return Resolver.load()

    def run(self, progress: Progress) -> Outcome:
        """Store rows, then what hangs below them, then resolve every reference again if the techniques changed."""
        outcome = self.outcome
        for number, target in enumerate(TARGETS, 1):
            self._store(target, outcome)
            progress("store", number, len(TARGETS))
        for number, written in enumerate(self._written, 1):
            for field_name, children in written.plan.target.children.items():
                store_children(written, field_name, children, self._resolver)
            progress("link", number, len(self._written))
        outcome.references_moved = self._resolve_again()
        outcome.unresolved = unresolved_by_source().get(self._source.slug, 0)
        return outcome

    def _store(self, target: Target, outcome: Outcome) -> None:
        plan = make_plan(target, self._intake.of(target), self._source.slug, self._intake.spares)
        outcome.issues += left_out(plan)
        if not (plan.writes or plan.unchanged):
            return
        written = store_rows(plan, self._provenance, self._resolver)
        outcome.kinds[target.label] = written.tally
        self._written.append(written)
        if target.model in (Technique, TechniqueCrosswalk):
            self.__dict__.pop("_resolver", None)

    def _resolve_again(self) -> int:
        moved = any(
            written.plan.target.model in (Technique, TechniqueCrosswalk) and written.plan.writes
            for written in self._written
        )
        return resolve_again(self._resolver) if moved else 0


def page_of(source: Source, path: str, version: str) -> str:
    """The address of the upstream file `path` at `version`."""
    for part in source.fetch:
        if isinstance(part, HttpsFile) and urlsplit(part.url).path.lstrip("/") == path:
            return part.page(path, version)
    return next((part.page(path, version) for part in source.fetch if not isinstance(part, HttpsFile)), "")


@transaction.atomic
def store(work: Store, progress: Progress, finish: Callable[[Outcome], bool]) -> Outcome:
    """Do the work in one transaction together with `finish`, which says whether it stays: if not, all is rolled back."""
    outcome = work.run(progress)
    if not finish(outcome):
        transaction.set_rollback(True)
    return outcome
