"""Asking for an import, running it, and what becomes of its row: at most one active run per source."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from aegis.accounts.models import User
from aegis.audit.recording import record
from aegis.audit.visit import current_visit
from aegis.lib.bulk import insert_rows
from aegis.lib.door_keys import without_secrets
from aegis.lib.numbers import numbered
from aegis.lib.outages import OUTAGES
from catalog.resolution import unresolved_by_source
from imports import engine, life
from imports.fetchers import FetchError, NotModified, Snapshot
from imports.fetching import fetch_source, is_sample
from imports.holding import digest_of_changes, is_held, reasons_to_hold
from imports.intake import Intake, SourceUnreadable
from imports.life import Cancelled, Lifeline, Superseded, free_dead_runs, require_running, this_process
from imports.models import DataSource, ImportChange, ImportIssue, ImportRun
from imports.registry import OPTIONAL, SOURCES
from imports.run_report import facts, outcome_of
from imports.schedule import note_sync
from imports.signals import catalogue_stored, import_finished
from imports.snapshots import NotKept, keep, kept, sweep
from imports.standing import NotPossible, carry_decision, require_last, require_open, settle_open_runs
from imports.upstream import Source
from imports.whereabouts import Whereabouts

logger = logging.getLogger(__name__)
Status = ImportRun.Status
LOUD = {Status.FAILED: logging.WARNING, Status.ABANDONED: logging.WARNING}
COUNTS = ("created", "updated", "unchanged", "withdrawn", "restored")
SOURCE_OF = {source.slug: source for source in (*SOURCES, *OPTIONAL)}


class UnknownSource(LookupError):
    """There is no data source of that name; the message lists those that exist."""


class AlreadyRunning(RuntimeError):
    """The source has an active run, so another one cannot start."""


def describe_sources() -> None:
    """Bring the DataSource rows in line with the registry: new upstreams get a row, labels follow the code."""
    for position, source in enumerate(SOURCE_OF.values()):
        described = {
            "label": source.label,
            "license": source.license,
            "homepage": source.homepage,
            "position": position,
        }
        first = described | {"every": source.every, "enabled": source not in OPTIONAL}
        DataSource.objects.update_or_create(slug=source.slug, defaults=described, create_defaults=first)


def request_import(
    slug: str,
    *,
    by: User | None = None,
    trigger: str = "command",
    dry_run: bool = False,
    worker: str = "",
    allowed: Collection[str] = (),
) -> ImportRun:
    """A queued run of the source `slug`. Raises UnknownSource, or AlreadyRunning with what to do.

    `worker` names the process that is about to `execute` it; without one it waits until some process does. `allowed` are
    codes of `imports.holding` that shall not hold it.
    """
    if slug not in SOURCE_OF:
        raise UnknownSource(f"unknown data source `{slug}`: choose from {', '.join(SOURCE_OF)}")
    source = DataSource.objects.filter(slug=slug).first()
    if source is None:
        describe_sources()
        source = DataSource.objects.get(slug=slug)
    asked = {"requested_by": by, "trigger": trigger, "dry_run": dry_run, "allowed": list(allowed)}
    return queue(source, worker=worker, **asked)


def queue(source: DataSource, **asked: Any) -> ImportRun:
    """A queued run with what was asked of it. Raises AlreadyRunning."""
    free_dead_runs(source.runs.all())
    try:
        with transaction.atomic():
            visit = current_visit()
            asked |= {"heartbeat_at": timezone.now(), "request_id": visit.id if visit else ""}
            return ImportRun.objects.create(source=source, **asked)
    except IntegrityError as error:
        raise AlreadyRunning(
            f"{source.slug} is being imported already: wait for that run to end, or see its page"
        ) from error


class Execution:
    """One run being carried out: tells its progress, and ends in exactly one final status."""

    def __init__(
        self,
        run: ImportRun,
        *,
        mirror: str,
        local: str,
        given: Snapshot | None,
        force: bool,
        progress: engine.Progress,
    ) -> None:
        self._run = run
        self._source: Source = SOURCE_OF[run.source.slug]
        self._mirror = mirror
        self._local = local
        self._given = given
        self._progress = progress
        self._fingerprint = engine.importer_fingerprint()
        self._may_skip = not force and not run.dry_run and run.source.importer == self._fingerprint
        self._line = Lifeline(run)
        self._whereabouts = Whereabouts(run)

    def carry_out(self) -> ImportRun:
        """Fetch, read and store. Input that cannot be had or read ends the run as failed, and nothing is written.

        A run that another process has begun, or that has ended, is returned as it stands: a task may be delivered twice.
        """
        run = self._run
        if not self._begin():
            run.refresh_from_db()
            return run
        with numbered(run=run.pk, request=run.request_id), self._line.held():
            logger.info("Import of %s begins", run.source.slug)
            try:
                self._carry_out()
            except Superseded:
                run.refresh_from_db()
            logger.log(LOUD.get(Status(run.status), logging.INFO), "Import of %s: %s", run.source.slug, outcome_of(run))
        return run

    def _begin(self) -> bool:
        """Whether the run is this process's from now on."""
        run = self._run
        run.status, run.worker = Status.RUNNING, this_process()
        run.started_at = run.heartbeat_at = timezone.now()
        mine = {name: getattr(run, name) for name in ("status", "worker", "started_at", "heartbeat_at")}
        return ImportRun.objects.filter(pk=run.pk, status=Status.QUEUED).update(**mine) == 1

    def _carry_out(self) -> None:
        try:
            self._import()
        except (FetchError, SourceUnreadable, NotKept, NotPossible) as error:
            self._end(Status.FAILED, error=str(error))
        except Cancelled:
            self._end(Status.CANCELLED)
        except Superseded:
            raise
        except SoftTimeLimitExceeded:
            minutes = settings.CELERY_TASK_SOFT_TIME_LIMIT // 60
            at = self._whereabouts.words
            self._end(
                Status.FAILED, error=f"took longer than {minutes} minutes{at}: start it again, or import it by command"
            )
        except OUTAGES as error:
            life.end_when_possible(partial(self._end, Status.FAILED), error)
        except MemoryError:
            self._end(
                Status.FAILED,
                error=f"memory ran out{self._whereabouts.words}: give the worker more, and start it again",
            )
        except BaseException as error:
            self._end(Status.FAILED, error=f"internal error: {type(error).__name__}: {error}")
            raise
        sweep(self._run.source)

    def _import(self) -> None:
        if self._run.undoes:
            self._take_back(self._run.undoes)
        elif self._run.applies:
            self._apply(self._run.applies)
        elif (found := self._fetched()) is not None:
            self._read_and_store(found)

    def _fetched(self) -> Snapshot | None:
        """What upstream has; None if that is what stands already, and the run has ended."""
        row = self._run.source
        found = self._fetch(row.validators if self._may_skip else {})
        if isinstance(found, NotModified):
            self._run.origin = found.origin[:1024]
            self._not_modified()
            return None
        self._run.origin, self._run.digest = found.origin[:1024], found.digest
        if self._may_skip and found.digest == row.digest:
            self._not_modified(found.version)
            return None
        return found

    def _fetch(self, validators: Mapping[str, str]) -> Snapshot | NotModified:
        if self._given:
            return self._given
        if self._run.given:
            return self._brought()
        return fetch_source(
            self._source,
            mirror=self._mirror,
            local=self._local,
            validators=validators,
            progress=lambda _url, done, total: self._tell("fetch", done, total),
        )

    def _brought(self) -> Snapshot:
        """What a bundle brought for this run. Raises NotKept."""
        snapshot = kept(self._source.slug, self._run.given)
        if snapshot is None:
            raise NotKept("The snapshot that the bundle brought is no longer kept: upload the bundle again.")
        return replace(snapshot, origin=self._run.origin or snapshot.origin)

    def _apply(self, shown: ImportRun) -> None:
        """Apply what another run showed: the kept snapshot, or the same fetched anew. Raises NotPossible."""
        require_open(shown, self._fingerprint)
        snapshot = kept(self._source.slug, shown.digest) or self._fetch({})
        if isinstance(snapshot, NotModified) or snapshot.digest != shown.digest:
            raise NotPossible(
                f"Upstream has moved on since run {shown.pk}, and its snapshot is no longer kept. Preview again."
            )
        self._run.origin, self._run.digest = snapshot.origin[:1024], snapshot.digest
        self._read_and_store(replace(snapshot, version=shown.version))

    def _take_back(self, undone: ImportRun) -> None:
        """Bring back what stood before a run: the snapshot applied before it, or no row at all. Raises NotPossible."""
        before = require_last(undone)
        if before is None:
            self._run.origin = f"nothing: run {undone.pk} was the first"
            self._store(Intake(), None)
            return
        snapshot = kept(self._source.slug, before.digest)
        if snapshot is None:
            raise NotPossible(
                f"The snapshot of run {before.pk}, which stood before, is no longer kept: import version {before.version}."
            )
        self._run.origin, self._run.digest = snapshot.origin[:1024], snapshot.digest
        self._read_and_store(replace(snapshot, version=before.version))

    def _read_and_store(self, snapshot: Snapshot) -> None:
        # Compressing waits for no one and nothing waits for it: it has the other core while this one reads.
        with ThreadPoolExecutor(1) as beside:
            keeping = beside.submit(copy_context().run, keep, self._source.slug, snapshot)
            files = self._whereabouts.follow(snapshot.files())
            intake = engine.read(self._source, files, len(snapshot.pieces), self._tell)
            keeping.result()
        for issue in snapshot.issues:
            intake.report(issue)
        self._run.version = (snapshot.version or intake.version or snapshot.digest[:12])[:128]
        self._store(intake, snapshot)

    def _store(self, intake: Intake, snapshot: Snapshot | None) -> None:
        """Write the differences and what follows from them in one transaction, unless they are to be shown only."""

        def finish(outcome: engine.Outcome) -> bool:
            run = self._run
            run.effects = _effects(catalogue_stored.send(sender=ImportRun, run=run, outcome=outcome))
            self._judge(outcome)
            if run.dry_run or run.status == Status.HELD:
                return False
            self._remember(snapshot)
            settle_open_runs(run)
            # Last: from its audit row on, everybody else who writes one waits for this transaction.
            self._record(outcome)
            return True

        work = engine.Store(self._source, intake, self._run.version, timezone.now())

        def tell(step: str, done: int, total: int | None, rows: int = 0) -> None:
            self._progress(step, done, total, rows)
            self._line.tell(step, done, total, {name: work.outcome.total(name) for name in COUNTS})

        self._line.tell_now("store")
        with self._line.storing():
            outcome = engine.store(work, tell, finish)
        if self._run.dry_run or self._run.status == Status.HELD:
            with transaction.atomic():
                carry_decision(self._run)
                self._record(outcome)

    def _judge(self, outcome: engine.Outcome) -> None:
        """Whether the run may go on. Raises NotPossible if it does not do what was shown."""
        run = self._run
        run.importer = self._fingerprint
        if run.applies:
            if digest_of_changes(outcome) != run.applies.shown_digest:
                raise NotPossible(
                    f"The catalogue has moved since run {run.applies.pk}: applied now it would do other things. Preview again."
                )
            return
        run.reasons = [] if run.undoes else reasons_to_hold(run, outcome)
        if is_held(run) and not run.dry_run:
            run.status = Status.HELD
        if run.dry_run or run.status == Status.HELD:
            run.shown_digest = digest_of_changes(outcome)

    def _record(self, outcome: engine.Outcome) -> None:
        """Keep what the run did with it: in the same transaction as the catalogue, unless it only shows it."""
        run = self._run
        insert_rows(ImportChange, ({**change.__dict__, "run_id": run.pk} for change in outcome.changes))
        ImportIssue.objects.bulk_create(
            ImportIssue(run=run, path=issue.path[:512], line=issue.line, message=issue.message)
            for issue in outcome.issues
        )
        for name in COUNTS:
            setattr(run, name, outcome.total(name))
        run.skipped, run.unresolved, run.issue_count = outcome.skipped, outcome.unresolved, len(outcome.issues)
        run.kinds = {label: tally.counts() for label, tally in outcome.kinds.items()}
        self._end(Status.HELD if run.status == Status.HELD else Status.SUCCEEDED)

    def _remember(self, snapshot: Snapshot | None) -> None:
        """What the source rests on now; nothing, if its first import was undone."""
        row = self._run.source
        row.current_version, row.importer = self._run.version, self._fingerprint
        row.digest = snapshot.digest if snapshot else ""
        row.validators = dict(snapshot.validators) if snapshot else {}
        row.is_sample = snapshot is not None and is_sample(snapshot.origin)
        row.save(update_fields=["current_version", "digest", "importer", "validators", "is_sample"])

    def _not_modified(self, version: str = "") -> None:
        """Nothing changed upstream since the last applied run: its figures still hold."""
        run, last = self._run, self._run.source.last_sync_stats
        run.version = version or run.source.current_version
        run.unchanged = sum(last.get(name, 0) for name in ("created", "updated", "unchanged", "restored"))
        run.skipped = last.get("skipped", 0)
        run.unresolved = unresolved_by_source().get(run.source.slug, 0)
        run.issue_count = last.get("issues", 0)
        self._end(Status.NOT_MODIFIED)

    def _end(self, status: ImportRun.Status, error: str = "") -> None:
        """Give the run its final status, unless it has one: a run that was given up for dead stays so, and stores nothing.

        Raises Superseded, or Cancelled where it would have succeeded.
        """
        run = self._run
        with transaction.atomic():
            try:
                require_running(run)
            except Cancelled:
                if status in {Status.SUCCEEDED, Status.HELD}:
                    raise
            run.status, run.finished_at, run.step = status, timezone.now(), ""
            run.error, run.origin = without_secrets(error)[:4000], without_secrets(run.origin)
            if status not in (*ImportRun.GOOD, Status.HELD):
                run.forget_counts()
            run.save()
            note_sync(run)
            record(run.requested_by, f"import.{run.status}", run, after=facts(run))
            transaction.on_commit(lambda: import_finished.send(sender=ImportRun, run=run))

    def _tell(self, step: str, done: int, total: int | None, rows: int = 0) -> None:
        """Pass progress on. Raises Stopped where the run is to end."""
        self._progress(step, done, total, rows)
        self._run.rows_read = rows
        self._line.tell(step, done, total, {"rows_read": rows})


def _effects(answers: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """What the receivers say that moves in our own work."""
    return {name: moved for _, answer in answers for name, moved in (answer or {}).items()}


def _quiet(step: str, done: int, total: int | None, rows: int = 0) -> None:
    """Progress that nobody watches."""


def execute(
    run: ImportRun,
    *,
    mirror: str = "",
    local: str = "",
    given: Snapshot | None = None,
    force: bool = False,
    progress: engine.Progress = _quiet,
) -> ImportRun:
    """Carry out a queued run and return it, ended. `mirror` defaults to AEGIS_MIRROR; `force` imports unmodified input too.

    With a `given` snapshot nothing is fetched.
    """
    mirror = mirror or settings.AEGIS_MIRROR
    return Execution(run, mirror=mirror, local=local, given=given, force=force, progress=progress).carry_out()
