"""What the home page shows: the figures, the two backlogs that face each other, charts, top gaps, changes, catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from django.urls import reverse
from django.utils import timezone

from coverage.charts.drawing import BarChart, LineChart
from coverage.charts.shelf import backlog_chart, status_chart, tactic_chart, techniques, trend_chart
from coverage.figures.backlogs import Backlog, places
from coverage.figures.standing import Standing
from coverage.figures.summary import CoverageSummary, coverage_summary
from coverage.figures.trend import TrendPoint, trend
from coverage.gaps.query import GapQuery
from coverage.gaps.ranking import CLAIMS_OF_GAPS, Gap, GapFacts, ranked_gaps
from imports.source_state import SourceState

SHOWN: Final = 5
"""Rows of a backlog, and gaps, that the page shows."""
TREND_DAYS: Final = 90
WEEK: Final = timedelta(days=7)
MOVES: Final = (
    ("proven", "proven", True),
    ("validated", "validated", True),
    ("proven_gaps", "proven gaps", False),
    ("claimed", "claimed", True),
    ("techniques", "active techniques", True),
)
"""Figures whose move since last week is told: the field, its words, and whether more is better."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One technique of a backlog, and why it stands where it does."""

    mitre_id: str
    name: str
    is_gap: bool
    actors: int
    rules: int
    templates: int


@dataclass(frozen=True, slots=True)
class Face:
    """One of the two backlogs. The techniques that the most actors use come first; `number` counts all of them."""

    number: int
    first: tuple[Candidate, ...]
    url: str


@dataclass(frozen=True, slots=True)
class Move:
    """How far a figure moved: by `number`, which is `better`, `worse` or neither."""

    words: str
    number: int
    look: str


@dataclass(frozen=True, slots=True)
class Week:
    """What moved since a day, at most a week ago; `since` is None while there is but one day to look at."""

    since: date | None
    moves: tuple[Move, ...]
    new_release: str


@dataclass(frozen=True, slots=True)
class Holding:
    """How much of one kind the catalogue holds, and the list of it."""

    label: str
    number: int
    url: str
    icon: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The page without the sources and what waits. `summary.whole.techniques` is 0 before the first import of ATT&CK."""

    summary: CoverageSummary
    tests: int
    due: int
    undetected: Face
    untested: Face
    backlogs: BarChart
    statuses: BarChart
    tactics: BarChart
    trend: LineChart
    week: Week
    top_gaps: tuple[Gap, ...]
    holdings: tuple[Holding, ...]


def home() -> Home:
    """The page as the catalogue and our tests are now: nine queries."""
    standing = Standing.now(CLAIMS_OF_GAPS)
    whole = standing.whole
    summary = coverage_summary(standing)
    since = timezone.now().date() - timedelta(days=TREND_DAYS)
    points = trend(since=since)
    known = standing.techniques.values()
    return Home(
        summary=summary,
        tests=sum(technique.tests for technique in known),
        due=sum(technique.review for technique in known),
        undetected=face(standing, Backlog.UNDETECTED),
        untested=face(standing, Backlog.UNTESTED),
        backlogs=backlog_chart(standing),
        statuses=status_chart(whole),
        tactics=tactic_chart(standing),
        trend=trend_chart(points, reverse("api:metrics-trend", query={"since": since.isoformat()})),
        week=since_last_week(points),
        top_gaps=tuple(ranked_gaps(GapFacts.now(GapQuery(), standing=standing), GapQuery())[:SHOWN]),
        holdings=tuple(shelves(summary)),
    )


def face(standing: Standing, backlog: Backlog) -> Face:
    """One backlog with its first rows."""
    there = places(standing)
    counts = [standing.claims[name] for name in ("actors", "rules", "templates")]
    candidates = [
        Candidate(mitre_id, known.name, known.gap, *(numbers.get(mitre_id, 0) for numbers in counts))
        for mitre_id, known in standing.techniques.items()
        if there[mitre_id] is backlog
    ]
    ranked = sorted(candidates, key=lambda one: (-one.actors, one.mitre_id))
    return Face(len(ranked), tuple(ranked[:SHOWN]), techniques(backlog=backlog.value, ordering="-actors"))


def since_last_week(points: Sequence[TrendPoint]) -> Week:
    """What the last snapshot has more or less than that of a week before, or than the oldest since then."""
    if len(points) < 2:
        return Week(None, (), "")
    last = points[-1]
    older = [point for point in points[:-1] if point.row.day <= last.row.day - WEEK]
    first = older[-1] if older else points[0]
    moves = []
    for name, words, is_good in MOVES:
        number = getattr(last.row, name) - getattr(first.row, name)
        if number:
            moves.append(Move(words, number, ("up" if (number > 0) == is_good else "down")))
    changed = last.row.release if last.row.release != first.row.release else ""
    return Week(first.row.day, tuple(moves), changed)


def shelves(summary: CoverageSummary) -> Iterable[Holding]:
    """The catalogue, kind by kind."""
    held = summary.holdings
    kinds = (
        ("Techniques", summary.whole.techniques, "coverage:technique-list", "list"),
        ("Detection rules", held["rules"], "catalog:rule-list", "rule"),
        ("Test templates", held["templates"], "catalog:template-list", "book"),
        ("Threat actors", held["actors"], "intel:actor-list", "users"),
        ("Defences", held["defences"], "catalog:defence-list", "shield"),
        ("Controls", held["controls"], "compliance:framework-list", "scale"),
    )
    return (Holding(label, number, reverse(url_name), icon) for label, number, url_name, icon in kinds)


def changed(states: Iterable[SourceState]) -> list[SourceState]:
    """The sources whose last import that wrote changed anything, newest first."""
    counts = ("created", "updated", "restored", "withdrawn")
    wrote = [state for state in states if state.applied and any(getattr(state.applied, count) for count in counts)]
    return sorted(wrote, key=lambda state: state.applied.pk if state.applied else 0, reverse=True)
