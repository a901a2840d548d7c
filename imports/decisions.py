"""What a person decides about a run: apply or discard what it showed, or take back what it did."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from aegis.accounts.models import User
from aegis.audit.recording import record
from imports.engine import importer_fingerprint
from imports.models import ImportRun
from imports.queueing import ring
from imports.services import queue
from imports.snapshots import is_kept
from imports.standing import Decision, NotPossible, require_last, require_open


def request_apply(shown: ImportRun, *, by: User | None, trigger: str, worker: str = "") -> ImportRun:
    """A queued run that applies exactly what a preview or a held run showed. Raises NotPossible or AlreadyRunning.

    `worker` names the process that is about to `execute` it; without one the next free worker carries it out.
    """
    require_open(shown, importer_fingerprint())
    asked = {"applies": shown, "given": shown.given, "origin": shown.origin if shown.given else ""}
    return _queued(queue(shown.source, requested_by=by, trigger=trigger, worker=worker, **asked))


def request_again(shown: ImportRun, *, by: User | None, trigger: str) -> ImportRun:
    """A queued preview of what a run read from a bundle, against the catalogue of now. Raises NotPossible or AlreadyRunning."""
    if not (shown.is_shown and shown.given):
        raise NotPossible(f"Run {shown.pk} is no preview of a bundle: preview its source.")
    if not is_kept(shown.source.slug, shown.given):
        raise NotPossible("The snapshot that the bundle brought is no longer kept: upload the bundle again.")
    asked = {"dry_run": True, "given": shown.given, "origin": shown.origin, "allowed": shown.allowed}
    return _queued(queue(shown.source, requested_by=by, trigger=trigger, **asked))


@transaction.atomic
def discard(shown: ImportRun, *, by: User | None) -> ImportRun:
    """A preview or a held run that nobody will apply any more. Raises NotPossible."""
    run = ImportRun.objects.select_for_update(of=("self",)).select_related("source").get(pk=shown.pk)
    if not run.is_open:
        raise NotPossible(f"Run {run.pk} waits for no decision: there is nothing to discard.")
    run.decision, run.decided_by, run.decided_at = Decision.DISCARDED, by, timezone.now()
    run.save(update_fields=["decision", "decided_by", "decided_at"])
    record(by, "import.discarded", run, after={"source": run.source.slug, "version": run.version, "digest": run.digest})
    return run


def request_undo(run: ImportRun, *, by: User | None, trigger: str, worker: str = "") -> ImportRun:
    """A queued run that brings back what stood before `run`, the same way. Raises NotPossible or AlreadyRunning."""
    before_undo(run)
    return _queued(queue(run.source, requested_by=by, trigger=trigger, worker=worker, undoes=run))


def before_undo(run: ImportRun) -> ImportRun | None:
    """The run whose version would stand again, None if nothing would. Raises NotPossible if `run` cannot be undone."""
    before = require_last(run)
    if before is not None and not is_kept(run.source.slug, before.digest):
        raise NotPossible(
            f"The snapshot of run {before.pk}, which stood before, is no longer kept: import version {before.version}."
        )
    return before


def _queued(run: ImportRun) -> ImportRun:
    if not run.worker:
        transaction.on_commit(lambda: ring(run))
    return run
