"""Which runs the catalogue rests on: what was applied and not taken back, and what somebody refused."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from catalog.models import Technique
from imports.models import DataSource, ImportRun

Status = ImportRun.Status
Decision = ImportRun.Decision


class NotPossible(Exception):
    """What was asked of a run cannot be done; the message says why, and what to do instead."""


def applied_runs(source: DataSource) -> QuerySet[ImportRun]:
    """The runs that were applied to a source and not undone since, the newest first. Its rows rest on the first of them."""
    applied = source.runs.filter(status=Status.SUCCEEDED, dry_run=False, undoes=None)
    undone = ImportRun.objects.filter(status=Status.SUCCEEDED, dry_run=False, undoes__isnull=False)
    return applied.exclude(pk__in=undone.values("undoes")).order_by("-pk")


def open_runs(source: DataSource) -> QuerySet[ImportRun]:
    """The previews and held runs of a source on which nobody has decided, the newest first."""
    shown = Q(status=Status.HELD) | Q(status=Status.SUCCEEDED, dry_run=True)
    return source.runs.filter(shown, decision="").order_by("-pk")


def undoing(source: DataSource, digest: str) -> ImportRun | None:
    """The run that took this content back, if nobody has applied it since."""
    taken_back = source.runs.filter(status=Status.SUCCEEDED, undoes__digest=digest).order_by("-pk").first()
    again = applied_runs(source).filter(digest=digest).first()
    return None if taken_back and again and again.pk > taken_back.pk else taken_back


def discarded(run: ImportRun) -> ImportRun | None:
    """The newest held run with the same content and the same reasons, if that was discarded."""
    held = run.source.runs.filter(status=Status.HELD, digest=run.digest, pk__lt=run.pk).exclude(
        decision=Decision.SUPERSEDED
    )
    last = held.order_by("-pk").first()
    same = last is not None and _codes(last) == _codes(run) and last.decision == Decision.DISCARDED
    return last if same else None


def settle_open_runs(run: ImportRun) -> None:
    """What was waiting for a decision has one now that `run` is applied: it was applied, or it is out of date.

    Raises NotPossible if somebody discarded meanwhile what `run` applies: whoever decided first is right.
    """
    now = timezone.now()
    if run.applies_id:
        decided = {"decision": Decision.APPLIED, "decided_by": run.requested_by, "decided_at": now}
        if not ImportRun.objects.filter(pk=run.applies_id, decision="").update(**decided):
            raise NotPossible(f"Run {run.applies_id} was discarded while it was applied: nothing was stored.")
    open_runs(run.source).filter(pk__lt=run.pk).update(decision=Decision.SUPERSEDED, decided_at=now)


def carry_decision(run: ImportRun) -> None:
    """Of several held runs only the newest waits; one that was discarded is not asked about again while it stays the same."""
    if run.status != Status.HELD:
        return
    earlier = open_runs(run.source).filter(status=Status.HELD, pk__lt=run.pk)
    earlier.update(decision=Decision.SUPERSEDED, decided_at=timezone.now())
    if last := discarded(run):
        run.decision, run.decided_by, run.decided_at = Decision.DISCARDED, last.decided_by, last.decided_at


def _codes(run: ImportRun) -> list[str]:
    return [reason["code"] for reason in run.reasons]


def require_open(shown: ImportRun, importer: str) -> None:
    """Raises NotPossible unless what a preview or a held run showed can still be applied as it was shown."""
    if not shown.is_shown:
        raise NotPossible(f"Run {shown.pk} shows nothing that could be applied: it is no preview, and it was not held.")
    if shown.decision:
        raise NotPossible(f"Run {shown.pk} was {shown.get_decision_display().lower()} already: preview again.")
    if shown.importer != importer:
        raise NotPossible(
            f"The importer's code has changed since run {shown.pk}: it might do other things. Preview again."
        )
    if moved := _moved_since(shown):
        raise NotPossible(
            f"The catalogue has moved since run {shown.pk}: run {moved.pk} of {moved.source.label} was applied. Preview again."
        )


def _moved_since(shown: ImportRun) -> ImportRun | None:
    """A run that was applied since and changed what was compared: the source's own rows, or the techniques that ids mean."""
    since: datetime = shown.started_at or shown.created_at
    applied = ImportRun.objects.filter(status=Status.SUCCEEDED, dry_run=False, finished_at__gt=since)
    concerned = Q(source=shown.source) | Q(kinds__has_key=Technique._meta.label_lower)
    return applied.filter(concerned).select_related("source").order_by("-pk").first()


def require_last(run: ImportRun) -> ImportRun | None:
    """The run that was applied before `run`, None if it was the first. Raises NotPossible unless `run` can be undone."""
    if run.is_applied and run.undoes_id:
        raise NotPossible(
            f"Run {run.pk} took back run {run.undoes_id}. To have that again, sync the source, and apply the run that is held."
        )
    if not run.is_applied:
        raise NotPossible(f"Run {run.pk} did not apply a version, so there is nothing to undo.")
    standing = list(applied_runs(run.source)[:2])
    if run not in standing:
        raise NotPossible(f"Run {run.pk} was undone already, or others were applied after it.")
    if run != standing[0]:
        raise NotPossible(
            f"Only the last applied run of a source can be undone: that is run {standing[0].pk}. Undo that one first."
        )
    return standing[1] if len(standing) > 1 else None
