"""The report of one campaign: what was tried, what was seen, who decided, and the hashes of what proves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from aegis.audit.models import AuditHead
from catalog.models import AttackRelease
from coverage.campaign_page import OutcomePart, outcome_parts
from coverage.campaign_results import Comparison, Progress, campaign_progress, compare_runs
from coverage.models import Campaign, Evidence, Test
from coverage.outcomes import RANK, Outcome
from imports.models import DataSource


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """All that the page prints: `findings` are the live tests from best to worst, and in campaign order within an outcome."""

    campaign: Campaign
    printed_at: datetime
    release: str
    progress: Progress
    parts: tuple[OutcomePart, ...]
    participants: tuple[str, ...]
    findings: tuple[Test, ...]
    evidence: tuple[Evidence, ...]
    comparisons: tuple[Comparison, ...]
    head: AuditHead | None
    sources: tuple[DataSource, ...]


def campaign_report(campaign: Campaign) -> CampaignReport:
    """The report of a campaign as it is now: nine queries, two more for a retest."""
    tests = campaign.tests.live().in_campaign_order().defer("procedure", "commands", "cleanup_commands", "blue_notes")
    findings = list(tests.select_related("technique", "decided_by", "submitted_by").prefetch_related("outcomes"))
    findings.sort(key=lambda test: -RANK[Outcome(test.outcome)])
    progress = campaign_progress(campaign)
    evidence = Evidence.objects.filter(test__campaign=campaign, test__archived_at=None)
    return CampaignReport(
        campaign=campaign,
        printed_at=timezone.now(),
        release=str(AttackRelease.objects.current().first() or ""),
        progress=progress,
        parts=tuple(outcome_parts(progress)),
        participants=tuple(map(str, campaign.participants.order_by("username").values_list("username", flat=True))),
        findings=tuple(findings),
        evidence=tuple(evidence.select_related("test", "uploaded_by").order_by("test__position", "test", "pk")),
        comparisons=tuple(compare_runs(campaign.retest_of, campaign)) if campaign.retest_of else (),
        head=AuditHead.objects.filter(pk=1).first(),
        sources=tuple(DataSource.objects.exclude(current_version="")),
    )
