"""When a run does not apply what it read, but waits for a person: it takes too much away, or it goes back in time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Final

from imports.engine import Outcome
from imports.models import ImportChange, ImportRun
from imports.records import ComplianceFrameworkRecord
from imports.row_pages import kind_name
from imports.standing import undoing
from imports.store import Tally
from imports.targets import TARGET_OF

SHARE: Final = 0.2
"""The share of a source's current rows, and of those of each kind, that a run may withdraw by itself."""
FEW: Final = 10
"""Fewer rows than these are taken in at a glance: they never hold a run."""
NUMBERED = re.compile(r"\d+(?:\.\d+)+")
"""A version that can be compared: a release, not a commit."""

FRAMEWORK: Final = TARGET_OF[ComplianceFrameworkRecord].label
EDITION: Final = ("version", "attack_version")
"""What tells two editions of a framework apart, by weight: its own version, and that of ATT&CK which it is mapped to."""

WITHDRAWALS: Final = "withdrawals"
OLDER: Final = "older"
UNDONE: Final = "undone"


def reasons_to_hold(run: ImportRun, outcome: Outcome) -> list[dict[str, str]]:
    """Why a person should look before this is applied: {code, text}, nothing for most runs, and for a first import."""
    found = (
        (WITHDRAWALS, _too_many_withdrawals(outcome)),
        (OLDER, _older(run, outcome)),
        (UNDONE, _undone(run)),
    )
    return [{"code": code, "text": text} for code, text in found if text]


def is_held(run: ImportRun) -> bool:
    """Whether one of the run's reasons was not accepted when it was asked for."""
    return any(reason["code"] not in run.allowed for reason in run.reasons)


def digest_of_changes(outcome: Outcome) -> str:
    """SHA-256 of all changes: the same for two runs that do the same to the catalogue."""
    lines = sorted(_line(change) for change in outcome.changes)
    return sha256("\n".join(lines).encode()).hexdigest()


def _line(change: ImportChange) -> str:
    told = [change.model, change.key, change.kind, change.path, change.changed]
    return json.dumps(told, sort_keys=True, default=str)


def _too_many_withdrawals(outcome: Outcome) -> str:
    """Of the source, or of one kind of its rows: all mitigations are few beside a whole ATT&CK."""
    found = [_many(outcome.total("withdrawn"), _standing(outcome.kinds.values()), "rows", "the source")]
    if len(outcome.kinds) > 1:
        kinds = sorted((kind_name(label), tally) for label, tally in outcome.kinds.items())
        found += [_many(tally.withdrawn, _standing([tally]), f"{name} rows", "that kind") for name, tally in kinds]
    return " ".join(text for text in found if text)


def _standing(tallies: Iterable[Tally]) -> int:
    """Rows that were current before."""
    return sum(tally.withdrawn + tally.unchanged + tally.updated for tally in tallies)


def _many(gone: int, standing: int, what: str, whole: str) -> str:
    if gone < FEW or gone <= SHARE * standing:
        return ""
    percent = 100 * gone / standing
    return f"It would withdraw {gone:,} of {standing:,} {what} ({percent:.0f} %), more than {SHARE:.0%} of {whole}."


def _older(run: ImportRun, outcome: Outcome) -> str:
    standing = run.source.current_version
    if _numbers(run.version) and _numbers(run.version) < _numbers(standing):
        return f"Version {run.version} is older than what stands: {standing}."
    if reason := _older_edition(outcome):
        return reason
    back = [earlier < later for earlier, later in _dates(outcome)]
    if sum(back) > len(back) / 2:
        return f"It is older than what stands: {sum(back)} of {len(back)} rows with a new date have an earlier one."
    return ""


def _older_edition(outcome: Outcome) -> str:
    """A framework would go back to an earlier version of itself, or of its mappings: upstream took the newer edition away."""
    for change in outcome.changes:
        moved = (
            [change.changed[name] for name in EDITION if name in change.changed] if change.model == FRAMEWORK else []
        )
        if moved and _natural(moved[0][1]) < _natural(moved[0][0]):
            before, after = moved[0]
            return (
                f"It is older than what stands: {change.name} would go back from {before} to {after or 'no mappings'}."
            )
    return ""


def _natural(version: str) -> list[int]:
    return [int(number) for number in re.findall("[0-9]{1,9}", version)]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if NUMBERED.fullmatch(version) else ()


def _dates(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """(after, before) of each row whose date of change is another one than before."""
    for change in outcome.changes:
        before, after = (_day(value) for value in change.changed.get("modified", ("", "")))
        if before and after and before != after:
            yield after, before


def _day(value: object) -> str:
    """A date as text that sorts: upstreams write 2026/01/02 and 2026-01-02."""
    return str(value or "").replace("/", "-")


def _undone(run: ImportRun) -> str:
    stands = run.digest == run.source.digest
    taken_back = None if stands else undoing(run.source, run.digest)
    if taken_back is None:
        return ""
    who = f" by {taken_back.requested_by}" if taken_back.requested_by else ""
    return f"This very content was applied and undone{who} (run {taken_back.pk})."
