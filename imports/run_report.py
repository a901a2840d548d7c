"""What a run says of itself: as JSON for programs, and a preview or a held run as lines of text: why, what, and what moves."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from imports.difference import as_text
from imports.models import ImportChange, ImportRun
from imports.row_pages import kind_name

MOST: Final = 20
"""Lines of one kind; the page of the run has them all."""
WIDEST: Final = 60
"""Characters of a value."""
EFFECTS: Final = {
    "tests": ("test", "tests", "moves", "move"),
    "statuses": ("technique", "techniques", "changes its status", "change their status"),
    "reviews": ("technique", "techniques", "is flagged for review", "are flagged for review"),
}


def report(run: ImportRun) -> Iterator[str]:
    """The lines, nothing for a run that was applied or failed."""
    if not run.is_shown:
        return
    slug = run.source.slug
    for reason in run.reasons:
        yield f"{slug}: {'held' if run.status == ImportRun.Status.HELD else 'would be held'}: {reason['text']}"
    changes = run.changes.exclude(kind=ImportChange.Kind.CREATED)
    for change in changes[:MOST]:
        yield f"{slug}: {_change(change)}"
    if (more := changes.count() - MOST) > 0:
        yield f"{slug}: and {more:,} more changes of rows that stand, see the page of run {run.pk}"
    for name, moved in run.effects.items():
        yield from (f"{slug}: {line}" for line in _effect(name, moved))


def as_json(run: ImportRun) -> dict[str, Any]:
    """The run as `import_source --json` prints it."""
    issues = [{"path": issue.path, "message": issue.message} for issue in run.known_issues]
    if run.error:
        issues.insert(0, {"path": "", "message": run.error})
    counts = run.statistics() | {"issues": issues}
    held = {"reasons": [reason["text"] for reason in run.reasons]} if run.reasons else {}
    counts |= held | ({"effects": run.effects} if run.is_shown and run.effects else {})
    return {"source": run.source.slug, "status": run.status, "version": run.version, **counts, "seconds": run.seconds}


def _change(change: ImportChange) -> str:
    fields = [f"{name} {_short(before)} -> {_short(after)}" for name, (before, after) in change.changed.items()]
    told = f": {'; '.join(sorted(fields, key=len)[:3])}" if fields else ""
    more = f"; and {len(fields) - 3} more fields" if len(fields) > 3 else ""
    return f"{change.kind} {kind_name(change.model)} {change.key} {change.name}{told}{more}"


def _short(value: Any) -> str:
    text = " ".join(as_text(value).split())
    return repr(text if len(text) <= WIDEST else f"{text[:WIDEST]}…")


def _effect(name: str, moved: dict[str, Any]) -> Iterator[str]:
    one, many, does, do = EFFECTS[name]
    total = moved["total"]
    yield f"{total:,} {one if total == 1 else many} {does if total == 1 else do}:"
    for row in islice(moved["rows"], MOST):
        yield f"  {_effect_row(row)}"
    if total > MOST:
        yield f"  and {total - MOST:,} more"


def _effect_row(row: dict[str, Any]) -> str:
    if "test" in row:
        return f"test {row['test']} {row['name']} ({row['technique']}): {row['text']}"
    if "before" in row:
        return f"{row['technique']} {row['name']}: {row['before']} -> {row['after']}"
    return f"{row['technique']} {row['name']}: {row['text']}"


def outcome_of(run: ImportRun) -> str:
    """How it ended, in a line."""
    counts = ", ".join(f"{number} {name}" for name, number in run.statistics().items() if number)
    return ", ".join(filter(None, [f"{run.status} in {run.seconds or 0:.1f} s", run.version[:12], counts, run.error]))


def facts(run: ImportRun) -> dict[str, Any]:
    """What the audit trail says of a run that ended."""
    asked = {"source": run.source.slug, "dry_run": run.dry_run, "trigger": run.trigger, "origin": run.origin}
    why = {"applies": run.applies_id, "undoes": run.undoes_id, "reasons": [reason["text"] for reason in run.reasons]}
    read = {"version": run.version, "digest": run.digest, "error": run.error}
    return asked | {name: value for name, value in why.items() if value} | read | run.statistics()
