"""What an import moves in our own work: tests that stand on changed rows, statuses, and techniques to look at again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db.models import QuerySet

from catalog.models import DetectionRule, Technique, TestTemplate
from coverage.models import TechniqueCoverage, Test
from imports.engine import Outcome
from imports.models import ImportChange, ImportRun
from imports.store import chunks

Kind = ImportChange.Kind
MOST: Final = 200
"""So many of each are listed; how many there are is told beside."""

MOVES: Final = (Kind.WITHDRAWN, Kind.UPDATED, Kind.RESTORED)
"""What can happen to a row that a test stands on."""


def statuses() -> dict[str, str]:
    """The coverage status of every technique that has one, by ATT&CK id."""
    rows = TechniqueCoverage.objects.order_by("technique_id").values_list("technique_id", "status")
    return {str(mitre_id): status for mitre_id, status in rows}


def effects_of(
    run: ImportRun, outcome: Outcome, *, before: Mapping[str, str], after: Mapping[str, str], reviews: Mapping[str, str]
) -> dict[str, Any]:
    """{"tests": ..., "statuses": ..., "reviews": ...}, each {"total": number, "rows": the first of them}; {} if nothing moves.

    `before` and `after` are statuses by ATT&CK id, `reviews` the reasons of those that are flagged for review.
    """
    moved = {mitre_id for mitre_id in {*before, *after} if _status(before, mitre_id) != _status(after, mitre_id)}
    names = dict(Technique.objects.filter(mitre_id__in=[*moved, *reviews]).values_list("mitre_id", "name"))
    found = {
        "tests": list(_tests(run.source.slug, outcome)),
        "statuses": [
            {"technique": one, "name": names[one], "before": _status(before, one), "after": _status(after, one)}
            for one in sorted(moved & names.keys())
        ],
        "reviews": [{"technique": one, "name": names[one], "text": text} for one, text in sorted(reviews.items())],
    }
    return {name: {"total": len(rows), "rows": rows[:MOST]} for name, rows in found.items() if rows}


def _status(statuses: Mapping[str, str], mitre_id: str) -> str:
    return statuses.get(mitre_id, "not_covered")


def _tests(source: str, outcome: Outcome) -> Iterator[dict[str, Any]]:
    """Live tests whose technique, template or rule changes, each with what happens to that."""
    yield from _moved(Technique, outcome, "technique__mitre_id", Test.objects.live(), _technique_words)
    templates = Test.objects.live().filter(template__source=source)
    yield from _moved(TestTemplate, outcome, "template__external_id", templates, _words("template"))
    rules = Test.objects.live().filter(detection_rules__source=source)
    yield from _moved(DetectionRule, outcome, "detection_rules__external_id", rules, _words("rule"))


def _moved(model: Any, outcome: Outcome, key: str, tests: QuerySet[Test], words: Any) -> Iterator[dict[str, Any]]:
    tally = outcome.kinds.get(model._meta.label_lower)
    changes = {change.key: change for change in (tally.changes if tally else ()) if change.kind in MOVES}
    told = {name: text for name, change in changes.items() if (text := words(change))}
    for chunk in chunks(sorted(told)):
        rows = tests.filter(**{f"{key}__in": chunk}).order_by("pk").values_list("pk", "name", "technique_id", key)
        for pk, name, technique, found in rows:
            yield {"test": pk, "name": name, "technique": technique, "text": told[found]}


def _technique_words(change: ImportChange) -> str:
    """What becomes of a technique that was tested; empty for what changes nothing about the test."""
    if change.kind == Kind.WITHDRAWN:
        return f"{change.key} is withdrawn."
    if _becomes(change, "revoked"):
        successor = change.changed.get("revoked_by_id", [None, None])[1]
        return f"{change.key} is revoked by {successor}." if successor else f"{change.key} is revoked."
    return f"{change.key} is deprecated." if _becomes(change, "deprecated") else ""


def _becomes(change: ImportChange, field: str) -> bool:
    return bool(change.changed.get(field, [False, False])[1])


def _words(what: str) -> Any:
    """The words for a template or a rule, which a test may name."""

    def words(change: ImportChange) -> str:
        if change.kind == Kind.UPDATED:
            fields = ", ".join(sorted(name.removesuffix("_id").replace("_", " ") for name in change.changed))
            return f"The {what} {change.name} changes: {fields}." if fields else ""
        return f"The {what} {change.name} {'is withdrawn' if change.kind == Kind.WITHDRAWN else 'is back'}."

    return words
