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

from aegis.audit.models import AuditHead
from coverage.campaign_page import OutcomePart, stacked
from coverage.gap_query import Chosen, GapQuery
from coverage.gaps import Gap, GapFacts, ranked_gaps
from coverage.models import CoverageSnapshot, Test
from coverage.outcomes import Outcome, Sighting, Verdict, verdict
from coverage.report_period import Period
from coverage.standing import GroupFigures, percent
from coverage.time_to_detect import times_of
from coverage.workflow import State
from imports.models import DataSource

TOP: Final = 5
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
    """A gap, and who has a test of it under way: names, with the campaign's where there is one. Empty: nobody yet."""

    gap: Gap
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodTests:
    """The live tests validated in a period: by outcome, and how long until the defence saw them (median, and of how many)."""

    total: int
    met: int
    deciders: int
    parts: tuple[OutcomePart, ...]
    detected: int
    time_to_detect: timedelta | None


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
    tests: PeriodTests
    head: AuditHead | None
    sources: tuple[DataSource, ...]

    @property
    def claimed_percent(self) -> float:
        """The share of the techniques that a rule names."""
        return percent(self.whole.claimed, self.whole.techniques)

    @property
    def proven_percent(self) -> float:
        """The share of the techniques that are proven."""
        return percent(self.whole.proven, self.whole.techniques)


def executive_report(period: Period, query: GapQuery, known: Collection[Chosen]) -> ExecutiveReport:
    """The report as the database is now; eleven queries, one more for chosen actors, one less without tests."""
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
        tests=period_tests(period),
        head=AuditHead.objects.filter(pk=1).first(),
        sources=tuple(DataSource.objects.exclude(current_version="")),
    )


def owned(gaps: Collection[Gap]) -> Iterable[OwnedGap]:
    """The gaps with those who have an open test of theirs. One query."""
    owners: dict[str, dict[str, None]] = {gap.mitre_id: {} for gap in gaps}
    rows = Test.objects.open().filter(technique_id__in=owners).order_by("pk")
    for mitre_id, user, campaign in rows.values_list("technique_id", "created_by__username", "campaign__name"):
        owners[str(mitre_id)][f"{user} ({campaign})" if campaign else user] = None
    return [OwnedGap(gap, tuple(owners[gap.mitre_id])) for gap in gaps]


def period_tests(period: Period) -> PeriodTests:
    """What the tests showed that were validated in the period. Two queries."""
    validated = Test.objects.live().filter(state=State.VALIDATED, decided_at__range=period.moments).order_by()
    groups = list(validated.values_list("outcome", "expected_outcome", "decided_by").annotate(Count("pk")))
    counts, met = Counter[Outcome](), 0
    for outcome, expected, _, number in groups:
        counts[Outcome(outcome)] += number
        met += number * (verdict(State.VALIDATED, Outcome(outcome), Sighting(expected)) == Verdict.MET)
    seconds = [seconds for _, seconds in times_of(validated)]
    return PeriodTests(
        total=counts.total(),
        met=met,
        deciders=len({decider for *_, decider, _ in groups}),
        parts=tuple(stacked(counts, counts.total())),
        detected=len(seconds),
        time_to_detect=timedelta(seconds=median(seconds)) if seconds else None,
    )


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
