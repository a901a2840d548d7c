"""The report of one campaign: what was tried, what was seen, who decided, and the hashes of what proves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.text import Truncator

from aegis.audit.models import AuditHead
from catalog.models import AttackRelease
from coverage.campaigns.page import campaign_bar
from coverage.campaigns.results import Comparison, Progress, compare_tests, progress_of, tests_of
from coverage.charts.drawing import BarChart
from coverage.models import Campaign, Evidence, Test
from coverage.reports.annex import executed_by, with_annex
from coverage.testing.outcomes import RANK, Outcome
from imports.models import DataSource

MOST_NOTE = 400
"""Characters of a decider's note that are quoted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One test, and who carried it out."""

    test: Test
    executed_by: tuple[str, ...]

    @property
    def who(self) -> str:
        """Who carried it out, handed it in and decided, and when."""
        test = self.test
        said = [f"executed by {', '.join(self.executed_by)}"] if self.executed_by else []
        if test.submitted_by:
            said.append(f"submitted by {test.submitted_by.username}")
        if test.decided_by and test.decided_at:
            at = formatted(test.decided_at, "j M Y, H:i")
            said.append(f"decided by {test.decided_by.username} on {at} UTC")
        return ", ".join(said)

    @property
    def note(self) -> str:
        """What the decider wrote, quoted."""
        text = self.test.decision_note if self.test.decided_by else ""
        return f"“{Truncator(text).chars(MOST_NOTE)}”" if text else ""


@dataclass(frozen=True, slots=True)
class Runs:
    """Two runs of the same tests: `other` is the campaign that the reported one repeats, or the last that repeats it."""

    other: Campaign
    is_retest: bool
    pairs: tuple[Comparison, ...]

    @property
    def said(self) -> str:
        """Which run is which."""
        return f"Before: this campaign. Now: {self.other.name}." if self.is_retest else f"Before: {self.other.name}."


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """All that the page prints: `findings` are the live tests from best to worst, and in campaign order within an outcome."""

    campaign: Campaign
    printed_at: datetime
    release: str
    progress: Progress
    outcomes: BarChart
    participants: tuple[str, ...]
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    runs: Runs | None
    head: AuditHead | None
    sources: tuple[DataSource, ...]

    @property
    def scope(self) -> list[tuple[str, str]]:
        """What was planned, as words with their texts; empty where nothing was."""
        campaign = self.campaign
        return [
            ("Goal", campaign.goal),
            ("Actor", f"{campaign.actor.name} ({campaign.actor.mitre_id})" if campaign.actor else ""),
            ("Retest of", campaign.retest_of.name if campaign.retest_of else ""),
            ("Planned by", campaign.created_by.username),
            ("Participants", ", ".join(self.participants) or "nobody is named"),
        ]


def campaign_report(campaign: Campaign) -> CampaignReport:
    """The report of a campaign as it is now: nine queries, one more where there is another run of it."""
    tests = list(with_annex(campaign.tests.live().in_campaign_order()))
    progress = progress_of(tests)
    ranked = sorted(tests, key=lambda test: -RANK[Outcome(test.outcome)])
    return CampaignReport(
        campaign=campaign,
        printed_at=timezone.now(),
        release=str(AttackRelease.objects.current().first() or ""),
        progress=progress,
        outcomes=campaign_bar(campaign, progress),
        participants=tuple(map(str, campaign.participants.order_by("username").values_list("username", flat=True))),
        findings=tuple(Finding(test, tuple(executed_by(test))) for test in ranked),
        evidence=tuple(file for test in tests for file in test.evidence.all()),
        runs=_runs(campaign, tests),
        head=AuditHead.objects.filter(pk=1).first(),
        sources=tuple(DataSource.objects.exclude(current_version="")),
    )


def _runs(campaign: Campaign, tests: Sequence[Test]) -> Runs | None:
    """The run that it repeats; else the last one that repeats it."""
    if campaign.retest_of:
        return Runs(campaign.retest_of, False, tuple(compare_tests(tests_of(campaign.retest_of), tests)))
    retest = campaign.retests.live().order_by("-pk").first()
    return Runs(retest, True, tuple(compare_tests(tests, tests_of(retest)))) if retest else None
