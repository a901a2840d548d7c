"""News from the floors below: an import that changed techniques under our tests."""

from collections.abc import Iterator
from typing import Any, Final

from catalog.models import Technique
from coverage.models import TechniqueCoverage, Test
from coverage.services.review import flag_for_review
from coverage.services.status import refresh_all
from imports.engine import Outcome
from imports.models import ImportChange, ImportRun
from imports.signals import catalogue_stored

NOTEWORTHY: Final = ("name", "description", "platforms", "tactics", "revoked", "deprecated")
"""What a lead should know about a technique that was tested; the rest (version, address) changes nothing."""


def listen() -> None:
    """Connect the receivers."""
    catalogue_stored.connect(follow_techniques, sender=ImportRun, dispatch_uid="coverage")


def follow_techniques(sender: Any, run: ImportRun, outcome: Outcome, **_: Any) -> None:
    """Recalculate all statuses after an import that touched techniques, and have changed ones that were tested reviewed.

    All, because a new, revoked or moved sub-technique changes what its parents are made of.
    """
    tally = outcome.kinds.get(Technique._meta.label_lower)
    if tally is None or not tally.changes:
        return
    refresh_all()
    tested = set(map(str, Test.objects.live().values_list("technique_id", flat=True)))
    for mitre_id, text in _news(tally.changes, run.version):
        if mitre_id in tested:
            flag_for_review(techniques=[mitre_id], reason=TechniqueCoverage.Reason.ATTACK, text=text)


def _news(changes: list[ImportChange], version: str) -> Iterator[tuple[str, str]]:
    for change in changes:
        fields = [name for name in NOTEWORTHY if name in change.changed]
        if change.kind == ImportChange.Kind.WITHDRAWN:
            yield change.key, f"ATT&CK {version} does not have it any more."
        elif change.kind == ImportChange.Kind.RESTORED:
            yield change.key, f"ATT&CK {version} has it again."
        elif fields:
            yield change.key, f"ATT&CK {version} changed: {', '.join(fields)}."
