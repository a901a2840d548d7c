"""Asking for an import, running it, and what becomes of its row: at most one active run per source."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

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
from imports.models import DataSource, ImportChange, ImportIssue, ImportRun
from imports.registry import SOURCES
from imports.signals import catalogue_stored, import_finished
from imports.snapshots import NotKept, keep, sweep
from imports.upstream import Source

Status = ImportRun.Status
SOURCE_OF = {source.slug: source for source in SOURCES}
HEARTBEAT_EVERY = timedelta(seconds=2)
DEAD_AFTER = timedelta(seconds=90)
"""A run that has not been heard of for so long is dead: a step that takes longer still tells its progress."""


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
        DataSource.objects.update_or_create(slug=source.slug, defaults=described)


def request_import(slug: str, *, by: User | None = None, trigger: str = "command", dry_run: bool = False) -> ImportRun:
    """A queued run of the source `slug`. Raises UnknownSource, or AlreadyRunning with what to do."""
    if slug not in SOURCE_OF:
        raise UnknownSource(f"unknown data source `{slug}`: choose from {', '.join(SOURCE_OF)}")
    source = DataSource.objects.filter(slug=slug).first()
    if source is None:
        describe_sources()
        source = DataSource.objects.get(slug=slug)
    free_dead_runs(source)
    try:
        with transaction.atomic():
            return ImportRun.objects.create(
                source=source,
                requested_by=by,
                trigger=trigger,
                dry_run=dry_run,
                heartbeat_at=timezone.now(),
                worker=_worker(),
            )
    except IntegrityError as error:
        raise AlreadyRunning(f"{slug} is being imported already: wait for that run to end, or see its page") from error


def free_dead_runs(source: DataSource) -> None:
    """Mark active runs whose process is gone as abandoned, so that the source can be imported again."""
    for run in source.runs.filter(status__in=ImportRun.ACTIVE):
        if _is_dead(run):
            error = f"abandoned: the process {run.worker} ended, or was not heard of for {DEAD_AFTER.seconds} seconds"
            _abandon(run, error)


@transaction.atomic
def _abandon(run: ImportRun, error: str) -> None:
    ended = {"status": Status.ABANDONED, "finished_at": timezone.now(), "error": error}
    if ImportRun.objects.filter(pk=run.pk, status__in=ImportRun.ACTIVE).update(**ended):
        record(None, "import.abandoned", run, after={"source": run.source.slug, "error": error})


def _is_dead(run: ImportRun) -> bool:
    host, _, pid = run.worker.rpartition(":")
    if host == socket.gethostname() and pid.isdigit():
        return not _is_alive(int(pid))
    heard = run.heartbeat_at or run.created_at
    return timezone.now() - heard > DEAD_AFTER


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


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
        self._heard = timezone.now() - HEARTBEAT_EVERY

    def carry_out(self) -> ImportRun:
        """Fetch, read and store. Input that cannot be had or read ends the run as failed, and nothing is written."""
        run = self._run
        run.status, run.started_at = Status.RUNNING, timezone.now()
        run.save(update_fields=["status", "started_at"])
        try:
            self._import()
        except (FetchError, SourceUnreadable, NotKept) as error:
            self._end(Status.FAILED, error=str(error))
        except BaseException as error:
            self._end(Status.FAILED, error=f"internal error: {type(error).__name__}: {error}")
            raise
        sweep(run.source)
        return run

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
        outcome = engine.store(work, self._progress, last)
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
        for name in ("created", "updated", "unchanged", "withdrawn", "restored"):
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

    @transaction.atomic
    def _end(self, status: ImportRun.Status, error: str = "") -> None:
        run = self._run
        run.status, run.error, run.finished_at, run.step = status, error[:4000], timezone.now(), ""
        run.save()
        if not run.dry_run:
            _note_sync(run)
        record(run.requested_by, f"import.{run.status}", run, after=_facts(run))
        transaction.on_commit(lambda: import_finished.send(sender=ImportRun, run=run))

    def _tell(self, step: str, done: int, total: int | None) -> None:
        """Pass progress on, and write it to the run's row now and then: outside the storing transaction only."""
        self._progress(step, done, total)
        now = timezone.now()
        if now - self._heard >= HEARTBEAT_EVERY:
            self._heard = now
            ImportRun.objects.filter(pk=self._run.pk).update(heartbeat_at=now, step=step, done=done, total=total or 0)


def _facts(run: ImportRun) -> dict[str, Any]:
    asked = {"source": run.source.slug, "dry_run": run.dry_run, "trigger": run.trigger, "origin": run.origin}
    return asked | {"version": run.version, "digest": run.digest, "error": run.error} | run.statistics()


def _note_sync(run: ImportRun) -> None:
    row = run.source
    row.last_sync_at, row.last_sync_status = run.finished_at, run.status
    if run.status in (Status.SUCCEEDED, Status.NOT_MODIFIED):
        row.last_sync_stats = run.statistics()
    row.save(update_fields=["last_sync_at", "last_sync_status", "last_sync_stats"])


def taxii_servers() -> list[TaxiiServer]:
    """The TAXII servers to ask first, the newer protocol before the older."""
    configured = (("2.1", settings.AEGIS_TAXII_URL), ("2.0", settings.AEGIS_TAXII20_URL))
    return [TaxiiServer(version, url, settings.AEGIS_TAXII_SECONDS) for version, url in configured if url]


def _is_sample(origin: str) -> bool:
    return str(settings.BASE_DIR / "samples") in origin


def _quiet(step: str, done: int, total: int | None) -> None:
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
