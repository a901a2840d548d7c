"""The executive report: one page that says what is claimed, what is proven, what moved, and what to do first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from django.db.models import Count
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.text import Truncator

from aegis.audit.models import AuditHead
from coverage.charts.drawing import BarChart, Numbers
from coverage.charts.shelf import outcome_bar
from coverage.figures.standing import GroupFigures, percent
from coverage.figures.time_to_detect import times_of
from coverage.gaps.query import Chosen, GapQuery
from coverage.gaps.ranking import Gap, GapFacts, ranked_gaps
from coverage.models import CoverageSnapshot, Test
from coverage.models.test import TestQuerySet
from coverage.reports.annex import Annexed, annexed
from coverage.reports.period import Period
from coverage.testing.outcomes import Outcome, Sighting, Verdict, verdict
from coverage.testing.workflow import State
from imports.models import DataSource

TOP: Final = 5
MOST_NAMES: Final = 90
"""Characters of the owner of a gap, and of those who test it, that a report prints."""

MOST_ANNEX: Final = 200
"""Tests that the annex prints; the files hold all."""

WIDTH: Final = 300
HEIGHT: Final = 64
CURVES: Final = {"claimed": "l-claim", "proven": "l-proven"}
"""Figure -> the look of its curve."""


@dataclass(frozen=True, slots=True)
class Line:
    """The curve of one figure: the points of an SVG polyline, and its first and last percentage."""

    name: str
    look: str
    points: str
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class OwnedGap:
    """A gap, and who has a test of it under way: names, with the campaign's where there is one."""

    gap: Gap
    testers: tuple[str, ...]

    @property
    def said(self) -> str:
        """Who owns the gap, until when, and whose tests of it are under way, as far as a line goes."""
        owner = self.gap.owner.said if self.gap.owner else "nobody yet"
        tests = f"; test under way: {', '.join(self.testers)}" if self.testers else ""
        return Truncator(f"{owner}{tests}").chars(MOST_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodTests:
    """The live tests validated in a period: by outcome, and how long until the defence saw them (median, and of how many).

    `annex` are the newest of them, with their evidence.
    """

    total: int
    met: int
    deciders: int
    outcomes: BarChart
    detected: int
    time_to_detect: timedelta | None
    annex: tuple[Annexed, ...]

    @property
    def said(self) -> str:
        """What they come to, in a sentence."""
        if not self.total:
            return "No test was validated in the period."
        people = f"{self.deciders:,} {'person' if self.deciders == 1 else 'people'}"
        met = f"{self.met:,} of {self.total:,} met what they expected."
        return f"{met} Decided by {people}, none of whom had a hand in the test."

    @property
    def annex_said(self) -> str:
        """How much of them the annex prints."""
        if len(self.annex) == self.total:
            return "SHA-256: of what was shown to the decider, and of each file of evidence."
        return f"The newest {len(self.annex):,} of {self.total:,} tests; the annex as CSV or XLSX holds all."


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutiveReport:
    """All that the page prints. `head` is where the audit trail stood when it was printed."""

    period: Period
    printed_at: datetime
    release: str
    whole: GroupFigures
    tactics: tuple[GroupFigures, ...]
    days: tuple[CoverageSnapshot, ...]
    lines: tuple[Line, ...]
    gaps: tuple[OwnedGap, ...]
    gaps_total: int
    chosen_actors: int
    are_chosen: bool
    tests: PeriodTests
    head: AuditHead | None
    sources: tuple[DataSource, ...]

    @property
    def lead(self) -> str:
        """What it comes to, in two sentences."""
        whole = self.whole
        return (
            f"Of {whole.techniques:,} attack techniques, detection rules claim {whole.claimed:,} "
            f"({whole.claimed_percent}\u00a0%). Tests have proven {whole.proven:,} ({whole.proven_percent}\u00a0%), "
            f"and found {whole.proven_gaps:,} proven {'gap' if whole.proven_gaps == 1 else 'gaps'}, "
            "where nothing was seen as expected."
        )

    @property
    def gaps_said(self) -> str:
        """What the list of gaps is a part of."""
        if not self.gaps:
            return "Every technique is proven, or none is imported."
        chosen = "chosen " if self.are_chosen else ""
        return (
            f"{len(self.gaps):,} of {self.gaps_total:,} techniques that are not proven, the most urgent first, "
            f"by the techniques of {_counted(self.chosen_actors, f'{chosen}actor')}."
        )

    @property
    def scope(self) -> str:
        """What was looked at."""
        return (
            f"All {self.whole.techniques:,} active techniques and sub-techniques of {self.release or 'ATT&CK'}, as of today; "
            f"{_counted(self.tests.total, 'test')} validated from {formatted(self.period.since, 'j M Y')} to "
            f"{formatted(self.period.until, 'j M Y')}; gaps by the techniques of {_counted(self.chosen_actors, 'actor')}."
        )


def executive_report(period: Period, query: GapQuery, known: Collection[Chosen]) -> ExecutiveReport:
    """The report as the database is now; twelve queries, one more for chosen actors, two less without tests."""
    facts = GapFacts.now(query, known)
    days = CoverageSnapshot.objects.filter(tactic="", day__range=(period.since, period.until)).order_by("day")
    gaps = ranked_gaps(facts, query)
    return ExecutiveReport(
        period=period,
        printed_at=timezone.now(),
        release=facts.standing.release,
        whole=facts.standing.whole,
        tactics=tuple(facts.standing.by_tactic),
        days=tuple(days),
        lines=tuple(_lines(list(days))),
        gaps=tuple(owned(gaps[:TOP])),
        gaps_total=len(gaps),
        chosen_actors=len(facts.chosen),
        are_chosen=bool(query.actors or query.sectors),
        tests=period_tests(period),
        head=AuditHead.objects.filter(pk=1).first(),
        sources=tuple(DataSource.objects.exclude(current_version="")),
    )


def owned(gaps: Collection[Gap]) -> Iterable[OwnedGap]:
    """The gaps with those who have an open test of theirs. One query."""
    testers: dict[str, dict[str, None]] = {gap.mitre_id: {} for gap in gaps}
    rows = Test.objects.open().filter(technique_id__in=testers).order_by("pk")
    for mitre_id, user, campaign in rows.values_list("technique_id", "created_by__username", "campaign__name"):
        testers[str(mitre_id)][f"{user} ({campaign})" if campaign else user] = None
    return [OwnedGap(gap, tuple(testers[gap.mitre_id])) for gap in gaps]


def period_tests(period: Period) -> PeriodTests:
    """What the tests showed that were validated in the period. Three queries."""
    validated = validated_in(period)
    groups = list(validated.order_by().values_list("outcome", "expected_outcome", "decided_by").annotate(Count("pk")))
    counts, met = Counter[str](), 0
    for outcome, expected, _, number in groups:
        counts[outcome] += number
        met += number * (verdict(State.VALIDATED, Outcome(outcome), Sighting(expected)) == Verdict.MET)
    seconds = [seconds for _, seconds in times_of(validated.order_by())]
    numbers = Numbers(f"/api/v1/metrics/outcomes?since={period.since}&until={period.until}", key="key")
    return PeriodTests(
        total=counts.total(),
        met=met,
        deciders=len({decider for *_, decider, _ in groups}),
        outcomes=outcome_bar("period-outcomes", numbers, counts),
        detected=len(seconds),
        time_to_detect=timedelta(seconds=median(seconds)) if seconds else None,
        annex=tuple(annexed(validated, MOST_ANNEX)) if groups else (),
    )


def validated_in(period: Period) -> TestQuerySet:
    """The live tests that were validated in a period, the newest decision first."""
    validated = Test.objects.live().filter(state=State.VALIDATED, decided_at__range=period.moments)
    return validated.order_by("-decided_at", "-pk")


def _counted(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _lines(days: Sequence[CoverageSnapshot]) -> Iterable[Line]:
    """The curves of what is claimed and proven, from 0 to 100 percent; none of fewer than two days."""
    if len(days) < 2:
        return
    first, last = days[0].day, days[-1].day
    for name, look in CURVES.items():
        shares = [percent(getattr(row, name), row.techniques) for row in days]
        places = [WIDTH * ((row.day - first) / (last - first)) for row in days]
        drawn = " ".join(f"{x:.1f},{HEIGHT * (1 - share / 100):.1f}" for x, share in zip(places, shares, strict=True))
        yield Line(name.capitalize(), look, drawn, shares[0], shares[-1])
