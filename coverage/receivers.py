"""News from the floors below: an import that changed techniques under our tests, and articles that name techniques."""

import logging
from collections.abc import Iterator
from typing import Any, Final

from django.db import DatabaseError
from django.urls import reverse

from catalog.models import Technique, TechniqueCrosswalk
from catalog.resolution import Resolver
from coverage.effects import effects_of, statuses
from coverage.models import TechniqueCoverage, Test
from coverage.services.intel import flag_news
from coverage.services.layers import resolve_layers
from coverage.services.review import flag_for_review
from coverage.services.snapshots import take_snapshot
from coverage.services.status import refresh_all
from imports.engine import Outcome
from imports.models import ImportChange, ImportRun
from imports.signals import catalogue_stored, import_finished, intel_stored
from intel.models import FeedScan

logger = logging.getLogger(__name__)

NOTEWORTHY: Final = ("name", "description", "platforms", "tactics", "revoked", "deprecated")
"""What a lead should know about a technique that was tested; the rest (version, address) changes nothing."""


def listen() -> None:
    """Connect the receivers."""
    catalogue_stored.connect(follow_import, sender=ImportRun, dispatch_uid="coverage")
    catalogue_stored.connect(follow_layers, sender=ImportRun, dispatch_uid="coverage layers")
    import_finished.connect(keep_the_day, sender=ImportRun, dispatch_uid="coverage")
    intel_stored.connect(follow_news, sender=FeedScan, dispatch_uid="coverage")


def follow_news(sender: Any, scan: FeedScan, items: list[int], **_: Any) -> None:
    """Have techniques reviewed that are in the news."""
    flag_news(scan=scan, items=items)


def keep_the_day(sender: Any, run: ImportRun, **_: Any) -> None:
    """Have the first day in the trend at once, and the last figures of a day on which the catalogue moved."""
    if run.status != ImportRun.Status.SUCCEEDED or run.dry_run:
        return
    try:
        take_snapshot()
    except DatabaseError:  # the import stands, and the hourly job takes the day's snapshot again
        logger.exception("No snapshot of coverage after run %s", run.pk)


def follow_import(sender: Any, run: ImportRun, outcome: Outcome, **_: Any) -> dict[str, Any]:
    """Bring coverage into step with the catalogue. Returns what moved (`coverage.effects`)."""
    before = statuses()
    reviews = follow_techniques(run, outcome)
    return effects_of(run, outcome, before=before, after=statuses(), reviews=reviews)


def follow_techniques(run: ImportRun, outcome: Outcome) -> dict[str, str]:
    """Recalculate all statuses after an import that touched techniques, and have changed ones that were tested reviewed.

    All, because a new, revoked or moved sub-technique changes what its parents are made of. Returns the reason of each
    technique that was flagged now, by ATT&CK id.
    """
    tally = outcome.kinds.get(Technique._meta.label_lower)
    if tally is None or not tally.changes:
        return {}
    refresh_all()
    tested = set(map(str, Test.objects.live().values_list("technique_id", flat=True)))
    changes = [change for change in tally.changes if change.key in tested]
    flagged = {mitre_id: text for mitre_id, text in _news(changes, run.version) if _flag(mitre_id, text)}
    for heir, old in _heirs(changes):
        text = f"ATT&CK {run.version} replaced {old} by it: tests of {old} do not count here."
        if _flag(heir, text, reverse("coverage:test-list", query={"technique": old})):
            flagged[heir] = " ".join(filter(None, (flagged.get(heir), text)))
    return flagged


def _flag(mitre_id: str, text: str, link: str = "") -> list[str]:
    link = link or reverse("imports:change-list", query={"model": Technique._meta.label_lower, "key": mitre_id})
    return flag_for_review(techniques=[mitre_id], reason=TechniqueCoverage.Reason.ATTACK, text=text, link=link)


def _heirs(changes: list[ImportChange]) -> list[tuple[str, str]]:
    """(successor, revoked technique) of each that was revoked now and has an active successor, at the end of the chain.

    Nobody looks for a review of what is gone: it is the successor that stands without the proof.
    """
    revoked = [change.key for change in changes if change.changed.get("revoked", [False, False])[1]]
    if not revoked:
        return []
    resolver = Resolver.load()
    ends = {old: resolver.resolve(old).mitre_id or old for old in revoked}
    found = Technique.objects.active().filter(mitre_id__in=ends.values()).values_list("mitre_id", flat=True)
    active = set(map(str, found))
    return sorted((end, old) for old, end in ends.items() if end in active)


def follow_layers(sender: Any, outcome: Outcome, **_: Any) -> None:
    """Resolve the ids of uploaded layers again after an import that touched techniques or the crosswalk between releases."""
    tallies = (outcome.kinds.get(model._meta.label_lower) for model in (Technique, TechniqueCrosswalk))
    if any(tally and tally.changes for tally in tallies):
        resolve_layers()


def _news(changes: list[ImportChange], version: str) -> Iterator[tuple[str, str]]:
    for change in changes:
        fields = [name for name in NOTEWORTHY if name in change.changed]
        if change.kind == ImportChange.Kind.WITHDRAWN:
            yield change.key, f"ATT&CK {version} does not have it any more."
        elif change.kind == ImportChange.Kind.RESTORED:
            yield change.key, f"ATT&CK {version} has it again."
        elif fields:
            yield change.key, f"ATT&CK {version} changed: {', '.join(fields)}."
