"""Looking at a technique again: what raises the flag, and the lead who takes it down."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from aegis.accounts.models import User
from aegis.audit.recording import record
from catalog.models import Technique
from coverage.models import TechniqueCoverage, Test
from coverage.services.writing import permit
from coverage.testing.workflow import State

Reason = TechniqueCoverage.Reason


@transaction.atomic
def flag_for_review(
    *, techniques: Iterable[str], reason: TechniqueCoverage.Reason, text: str, link: str = ""
) -> list[str]:
    """Ask for a review of these techniques, by ATT&CK id; `link` is the page that says more.

    Returns those that did not have this very reason yet.
    """
    wanted = sorted(Technique.objects.filter(mitre_id__in=set(techniques)).values_list("mitre_id", flat=True))
    TechniqueCoverage.objects.bulk_create(
        [TechniqueCoverage(technique_id=mitre_id) for mitre_id in wanted], ignore_conflicts=True
    )
    rows = TechniqueCoverage.objects.select_for_update().filter(technique__in=wanted).order_by("technique_id")
    return [str(row.technique_id) for row in rows if _flagged(row, reason, text, link)]


@transaction.atomic
def review_technique(*, by: User, technique: Technique, note: str = "") -> TechniqueCoverage:
    """The technique's row with no review required, whatever had asked for it. Raises NotAllowed."""
    permit(by, "technique.review", technique)
    TechniqueCoverage.objects.bulk_create([TechniqueCoverage(technique=technique)], ignore_conflicts=True)
    row = TechniqueCoverage.objects.select_for_update().get(technique=technique)
    before = {"review_required": row.review_required, "review_reasons": row.review_reasons}
    row.review_required, row.review_reasons = False, []
    row.reviewed_by, row.reviewed_at = by, timezone.now()
    row.save(update_fields=["review_required", "review_reasons", "reviewed_by", "reviewed_at"])
    record(by, "technique.reviewed", technique, before=before, after={"review_required": False}, note=note)
    return row


@transaction.atomic
def flag_old(*, now: datetime | None = None) -> list[str]:
    """Ask for a review of techniques neither validated nor reviewed for AEGIS_REVIEW_AFTER_DAYS. Returns them.

    Each reason leads to the test that was validated last.
    """
    limit = (now or timezone.now()) - timedelta(days=settings.AEGIS_REVIEW_AFTER_DAYS)
    old = TechniqueCoverage.objects.filter(last_validated_at__lt=limit).exclude(reviewed_at__gte=limit)
    due = sorted(
        str(row.technique_id) for row in old if not any(reason["kind"] == Reason.AGE for reason in row.review_reasons)
    )
    text = f"Not validated for {settings.AEGIS_REVIEW_AFTER_DAYS} days."
    links = _last_validated(due)
    return [
        flagged
        for mitre_id in due
        for flagged in flag_for_review(
            techniques=[mitre_id], reason=Reason.AGE, text=text, link=links.get(mitre_id, "")
        )
    ]


def _last_validated(techniques: list[str]) -> dict[str, str]:
    """The address of the live test of each technique that was validated last, where there is one. One query."""
    tests = (
        Test.objects.live()
        .filter(state=State.VALIDATED, technique__mitre_id__in=techniques)
        .order_by("decided_at", "pk")
    )
    return {str(test.technique_id): test.get_absolute_url() for test in tests.only("technique_id")}


def _flagged(row: TechniqueCoverage, reason: TechniqueCoverage.Reason, text: str, link: str) -> bool:
    entry: dict[str, Any] = {"kind": reason.value, "text": text} | ({"link": link} if link else {})
    if any(entry.items() <= standing.items() for standing in row.review_reasons):
        return False
    row.review_reasons = [*row.review_reasons, {**entry, "at": timezone.now().isoformat()}]
    row.review_required = True
    row.save(update_fields=["review_required", "review_reasons"])
    return True
