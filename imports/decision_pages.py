"""What a run's page offers to decide, and why not where it does not."""

from __future__ import annotations

from dataclasses import dataclass

from imports.decisions import before_undo
from imports.engine import importer_fingerprint
from imports.models import ImportRun
from imports.standing import NotPossible, applied_runs, require_open


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be decided about a run. `asks_*` says whether it is a question, the fault why it cannot be after all.

    `before` is the run whose version would stand again after an undo, None if nothing would.
    """

    asks_apply: bool = False
    apply_fault: str = ""
    asks_undo: bool = False
    undo_fault: str = ""
    before: ImportRun | None = None


def choices(run: ImportRun) -> Choices:
    """What can be decided about this run now."""
    if run.is_shown:
        return Choices(asks_apply=run.is_open, apply_fault=_apply_fault(run) if run.is_open else "")
    if not run.is_applied or run.undoes_id or applied_runs(run.source).first() != run:
        return Choices()
    try:
        return Choices(asks_undo=True, before=before_undo(run))
    except NotPossible as error:
        return Choices(asks_undo=True, undo_fault=str(error))


def _apply_fault(run: ImportRun) -> str:
    try:
        require_open(run, importer_fingerprint())
    except NotPossible as error:
        return str(error)
    return ""
