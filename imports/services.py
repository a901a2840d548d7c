"""Asking for an import, running it, and what becomes of its row: at most one active run per source."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from aegis.accounts.models import User
from aegis.audit.recording import record
from aegis.lib.bulk import insert_rows
from catalog.resolution import unresolved_by_source
from imports import engine
from imports.fetchers import FetchError, NotModified, Snapshot, TaxiiServer, fetch
from imports.intake import SourceUnreadable
from imports.life import Cancelled, Lifeline, Superseded, free_dead_runs, require_running, this_process
from imports.models import DataSource, ImportChange, ImportIssue, ImportRun
from imports.registry import SOURCES
from imports.schedule import note_sync
from imports.signals import catalogue_stored, import_finished
from imports.snapshots import NotKept, keep, sweep
from imports.upstream import Source

Status = ImportRun.Status
GOOD = (Status.SUCCEEDED, Status.NOT_MODIFIED)
COUNTS = ("created", "updated", "unchanged", "withdrawn", "restored")
SOURCE_OF = {source.slug: source for source in SOURCES}


class UnknownSource(LookupError):
    """There is no data source of that name; the message lists those that exist."""


class AlreadyRunning(RuntimeError):
    """The source has an active run, so another one cannot start."""


def describe_sources() -> None:
    """Bring the DataSource rows in line with `SOURCES`: new upstreams get a row, labels follow the code."""
    for position, source in enumerate(SOURCES):
        described = {
            "label": source.label,
            "license": source.license,
            "homepage": source.homepage,
            "position": position,
        }
        first = described | {"every": source.every}
        DataSource.objects.update_or_create(slug=source.slug, defaults=described, create_defaults=first)


def request_import(
    slug: str, *, by: User | None = None, trigger: str = "command", dry_run: bool = False, worker: str = ""
) -> ImportRun:
    """A queued run of the source `slug`. Raises UnknownSource, or AlreadyRunning with what to do.

    `worker` names the process that is about to `execute` it; without one it waits until some process does.
    """
    if slug not in SOURCE_OF:
        raise UnknownSource(f"unknown data source `{slug}`: choose from {', '.join(SOURCE_OF)}")
    source = DataSource.objects.filter(slug=slug).first()
    if source is None:
        describe_sources()
        source = DataSource.objects.get(slug=slug)
    free_dead_runs(source.runs.all())
    try:
        with transaction.atomic():
            return ImportRun.objects.create(
                source=source,
                requested_by=by,
                trigger=trigger,
                dry_run=dry_run,
                heartbeat_at=timezone.now(),
                worker=worker,
            )
    except IntegrityError as error:
        raise AlreadyRunning(f"{slug} is being imported already: wait for that run to end, or see its page") from error


class Execution:
    """One run being carried out: tells its progress, and ends in exactly one final status."""

    def __init__(self, run: ImportRun, *, mirror: str, local: str, force: bool, progress: engine.Progress) -> None:
        self._run = run
        self._source: Source = SOURCE_OF[run.source.slug]
        self._mirror = mirror
        self._local = local
        self._progress = progress
        self._fingerprint = engine.importer_fingerprint()
        self._may_skip = not force and not run.dry_run and run.source.importer == self._fingerprint
        self._line = Lifeline(run)

    def carry_out(self) -> ImportRun:
        """Fetch, read and store. Input that cannot be had or read ends the run as failed, and nothing is written.

        A run that another process has begun, or that has ended, is returned as it stands: a task may be delivered twice.
        """
        run = self._run
        if not self._begin():
            run.refresh_from_db()
            return run
        with self._line.held():
            try:
                self._carry_out()
            except Superseded:
                run.refresh_from_db()
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
        except (FetchError, SourceUnreadable, NotKept) as error:
            self._end(Status.FAILED, error=str(error))
        except Cancelled:
            self._end(Status.CANCELLED)
        except Superseded:
            raise
        except SoftTimeLimitExceeded:
            minutes = settings.CELERY_TASK_SOFT_TIME_LIMIT // 60
            self._end(
                Status.FAILED, error=f"took longer than {minutes} minutes: start it again, or import it by command"
            )
        except BaseException as error:
            self._end(Status.FAILED, error=f"internal error: {type(error).__name__}: {error}")
            raise
        sweep(self._run.source)

    def _import(self) -> None:
        row = self._run.source
        known = row.validators if self._may_skip else {}
        found = fetch(
            self._source,
            mirror=self._mirror,
            local=self._local,
            validators=known,
            extra_hosts=settings.AEGIS_EXTRA_HOSTS,
            progress=lambda _url, done, total: self._tell("fetch", done, total),
            taxii=taxii_servers(),
        )
        if isinstance(found, NotModified):
            self._run.origin = found.origin[:1024]
            self._not_modified()
            return
        self._run.origin, self._run.digest = found.origin[:1024], found.digest
        if self._may_skip and found.digest == row.digest:
            self._not_modified(found.version)
            return
        self._store(found)

    def _store(self, snapshot: Snapshot) -> None:
        # Compressing waits for no one and nothing waits for it: it has the other core while this one reads.
        with ThreadPoolExecutor(1) as beside:
            keeping = beside.submit(keep, self._source.slug, snapshot)
            intake = engine.read(self._source, snapshot.files(), len(snapshot.pieces), self._tell)
            keeping.result()
        for issue in snapshot.issues:
            intake.report(issue)
        self._run.version = (snapshot.version or intake.version or snapshot.digest[:12])[:128]

        def finish(outcome: engine.Outcome) -> None:
            self._remember(snapshot)
            catalogue_stored.send(sender=ImportRun, run=self._run, outcome=outcome)
            # Last: from its audit row on, everybody else who writes one waits for this transaction.
            self._record(outcome)

        last = None if self._run.dry_run else finish
        work = engine.Store(self._source, intake, self._run.version, timezone.now())

        def tell(step: str, done: int, total: int | None, rows: int = 0) -> None:
            self._progress(step, done, total, rows)
            self._line.tell(step, done, total, {name: work.outcome.total(name) for name in COUNTS})

        self._line.tell_now("store")
        with self._line.storing():
            outcome = engine.store(work, tell, last)
        if self._run.dry_run:
            with transaction.atomic():
                self._record(outcome)

    def _record(self, outcome: engine.Outcome) -> None:
        """Keep what the run did with it: in the same transaction as the catalogue, unless it is a preview."""
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
        self._end(Status.SUCCEEDED)

    def _remember(self, snapshot: Snapshot) -> None:
        row = self._run.source
        row.current_version, row.digest, row.importer = self._run.version, snapshot.digest, self._fingerprint
        row.validators, row.is_sample = snapshot.validators, _is_sample(snapshot.origin)
        row.save(update_fields=["current_version", "digest", "importer", "validators", "is_sample"])

    def _not_modified(self, version: str = "") -> None:
        """Nothing changed upstream since the last applied run: its figures still hold."""
        run, last = self._run, self._run.source.last_sync_stats
        run.version = version or run.source.current_version
        run.unchanged = sum(last.get(name, 0) for name in ("created", "updated", "unchanged", "restored"))
        run.skipped = last.get("skipped", 0)
        run.unresolved = unresolved_by_source().get(run.source.slug, 0)
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
                if status == Status.SUCCEEDED:
                    raise
            run.status, run.error, run.finished_at, run.step = status, error[:4000], timezone.now(), ""
            if status not in GOOD:
                run.forget_counts()
            run.save()
            note_sync(run)
            record(run.requested_by, f"import.{run.status}", run, after=_facts(run))
            transaction.on_commit(lambda: import_finished.send(sender=ImportRun, run=run))

    def _tell(self, step: str, done: int, total: int | None, rows: int = 0) -> None:
        """Pass progress on. Raises Stopped where the run is to end."""
        self._progress(step, done, total, rows)
        self._run.rows_read = rows
        self._line.tell(step, done, total, {"rows_read": rows})


def _facts(run: ImportRun) -> dict[str, Any]:
    asked = {"source": run.source.slug, "dry_run": run.dry_run, "trigger": run.trigger, "origin": run.origin}
    return asked | {"version": run.version, "digest": run.digest, "error": run.error} | run.statistics()


def taxii_servers() -> list[TaxiiServer]:
    """The TAXII servers to ask first, the newer protocol before the older."""
    configured = (("2.1", settings.AEGIS_TAXII_URL), ("2.0", settings.AEGIS_TAXII20_URL))
    return [TaxiiServer(version, url, settings.AEGIS_TAXII_SECONDS) for version, url in configured if url]


def _is_sample(origin: str) -> bool:
    return str(settings.BASE_DIR / "samples") in origin


def _quiet(step: str, done: int, total: int | None, rows: int = 0) -> None:
    """Progress that nobody watches."""


def execute(
    run: ImportRun, *, mirror: str = "", local: str = "", force: bool = False, progress: engine.Progress = _quiet
) -> ImportRun:
    """Carry out a queued run and return it, ended. `mirror` defaults to AEGIS_MIRROR; `force` imports unmodified input too."""
    return Execution(
        run, mirror=mirror or settings.AEGIS_MIRROR, local=local, force=force, progress=progress
    ).carry_out()


def as_json(run: ImportRun) -> dict[str, Any]:
    """The run as `import_source --json` prints it."""
    issues = [{"path": issue.path, "message": issue.message} for issue in run.issues.all()]
    if run.error:
        issues.insert(0, {"path": "", "message": run.error})
    counts = run.statistics() | {"issues": issues}
    return {"source": run.source.slug, "status": run.status, "version": run.version, **counts, "seconds": run.seconds}
