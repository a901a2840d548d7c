"""The charts of home, metrics, campaigns and reports: which numbers, what they are called, and where each leads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from django.urls import reverse

from aegis.lib.durations import duration
from coverage.charts.drawing import BarChart, LineChart, Moment, Numbers, Row, Series
from coverage.figures.backlogs import Backlog, backlog_numbers
from coverage.figures.outcomes import OutcomeFigures
from coverage.figures.proof_age import AGES, proof_ages
from coverage.figures.standing import GroupFigures, Standing
from coverage.figures.time_to_detect import TimeToDetect
from coverage.figures.trend import TrendPoint
from coverage.techniques.status import Status
from coverage.testing.outcomes import Outcome

CLAIMED: Final = Series("claimed", "Claimed", "claim")
TESTABLE: Final = Series("testable", "Testable", "template")
PROVEN: Final = Series("proven", "Proven", "good")
ALL: Final = Series("techniques", "All", "")
STATUSES: Final = (
    Series(Status.VALIDATED, "Validated", "good"),
    Series(Status.PARTIAL, "Partial", "part"),
    Series(Status.IN_PROGRESS, "In progress", "move"),
    Series(Status.NOT_COVERED, "Not covered", "none"),
)
BACKLOGS: Final = (
    Series(Backlog.UNKNOWN, "Nothing known", "hatch"),
    Series(Backlog.UNDETECTED, "Undetected attacks", "gap"),
    Series(Backlog.IN_TEST, "In test", "move"),
    Series(Backlog.PROVEN, "Proven", "good"),
    Series(Backlog.UNTESTED, "Untested detections", "claim"),
)
OUTCOMES: Final = (
    Series(Outcome.PREVENTED, "Prevented", "good"),
    Series(Outcome.ALERTED, "Alerted", "move"),
    Series(Outcome.LOGGED, "Logged", "part"),
    Series(Outcome.MISSED, "Missed", "gap"),
    Series(Outcome.NOT_TESTED, "Attested", "none"),
)
UNTESTED: Final = Series(Outcome.NOT_TESTED, "Not tested", "none")
DAY: Final = timedelta(days=1)
LINES: Final = (
    Series("claimed_percent", "Claimed", "claim"),
    Series("validated_percent", "Validated", "part"),
    Series("proven_percent", "Proven", "proven"),
)
Query = Mapping[str, str]


def techniques(**filters: str) -> str:
    """The address of the list of techniques that these filters leave."""
    return reverse("coverage:technique-list", query=filters) if filters else reverse("coverage:technique-list")


def status_chart(figures: GroupFigures) -> BarChart:
    """The active techniques by status."""
    urls = {series.field: techniques(status=series.field) for series in STATUSES}
    row = Row(key="", label="", values=figures.counts, whole=figures.techniques, urls=urls)
    numbers = Numbers(reverse("api:metrics-summary"))
    return BarChart(
        name="status", title="Techniques by status", numbers=numbers, series=STATUSES, rows=[row], stacked=True
    )


def backlog_chart(standing: Standing) -> BarChart:
    """The active techniques from blue's backlog to red's."""
    urls = {series.field: techniques(backlog=series.field) for series in BACKLOGS}
    row = Row(key="", label="", values=backlog_numbers(standing), whole=len(standing.techniques), urls=urls)
    numbers = Numbers(reverse("api:metrics-backlogs"))
    return BarChart(
        name="backlogs", title="Where techniques stand", numbers=numbers, series=BACKLOGS, rows=[row], stacked=True
    )


def group_chart(
    groups: Iterable[GroupFigures],
    leads: Callable[[str], Query],
    *,
    name: str,
    title: str,
    head: str,
    numbers: Numbers,
) -> BarChart:
    """Groups of techniques, each by what is claimed, testable and proven; `leads` are the filters that list a group."""
    return BarChart(
        name=name,
        title=title,
        head=head,
        numbers=numbers,
        series=(CLAIMED, TESTABLE, PROVEN, ALL),
        rows=[_group(group, leads(group.key)) for group in groups],
    )


def _group(group: GroupFigures, filters: Query) -> Row:
    urls = {
        "claimed": techniques(**filters, has_rules="true"),
        "testable": techniques(**filters, has_templates="true"),
        "proven": techniques(**filters, proven="true"),
        "techniques": techniques(**filters),
    }
    return Row(
        key=group.key,
        label=group.name,
        values=group.counts,
        whole=group.techniques,
        url=techniques(**filters),
        urls=urls,
    )


def tactic_chart(standing: Standing) -> BarChart:
    """The tactics in the release's order."""
    numbers = Numbers(reverse("api:metrics-by-tactic"), key="tactic")
    return group_chart(
        standing.by_tactic,
        lambda key: {"tactic": key},
        name="by-tactic",
        title="Coverage by tactic",
        head="Tactic",
        numbers=numbers,
    )


def outcome_chart(name: str, head: str, numbers: Numbers, figures: Iterable[OutcomeFigures]) -> BarChart:
    """Validated tests by outcome, from best to worst."""
    rows = [
        Row(key=one.key, label=one.name, values={**one.outcomes, "tests": one.tests}, whole=one.tests)
        for one in figures
        if one.tests
    ]
    title = f"Outcomes of validated tests by {head.lower()}"
    return BarChart(name=name, title=title, head=head, numbers=numbers, series=OUTCOMES, rows=rows, stacked=True)


def outcome_bar(name: str, numbers: Numbers, outcomes: Mapping[str, int], **filters: str) -> BarChart:
    """The outcomes of some tests, from best to worst, as one bar. With `filters` its parts lead to the tests so filtered."""
    urls = {one.value: reverse("coverage:test-list", query={**filters, "outcome": one.value}) for one in Outcome}
    row = Row(
        key="",
        label="Tests",
        values={one.value: outcomes.get(one.value, 0) for one in Outcome},
        whole=sum(outcomes.values()),
        urls=urls if filters else {},
    )
    series = [one if one.field != Outcome.NOT_TESTED else UNTESTED for one in OUTCOMES] if filters else OUTCOMES
    return BarChart(name=name, title="Outcomes", numbers=numbers, series=series, rows=[row], stacked=True)


def detection_chart(times: Sequence[TimeToDetect]) -> BarChart:
    """Time to detect, where any test has one."""
    whole = max((time.p90_seconds or 0 for time in times), default=0) or 1
    rows = [
        Row(
            key=time.key,
            label=time.name,
            values={"median_seconds": time.median_seconds, "p90_seconds": time.p90_seconds, "tests": time.tests},
            whole=whole,
            texts={"median_seconds": duration(time.median_seconds), "p90_seconds": duration(time.p90_seconds)},
        )
        for time in times
        if time.median_seconds is not None and time.p90_seconds is not None
    ]
    return BarChart(
        name="time-to-detect",
        title="Time to detect by tactic",
        head="Tactic",
        numbers=Numbers(reverse("api:metrics-time-to-detect"), key="key"),
        series=(Series("median_seconds", "Median", "good"), Series("p90_seconds", "90 % within", "move")),
        rows=rows,
    )


def age_chart(standing: Standing) -> BarChart:
    """The active techniques by the age of their proof."""
    ages = proof_ages(standing)
    urls = {bucket: techniques(proof_age=bucket) for bucket in AGES}
    rows = [
        Row(
            key=bucket,
            label=label.capitalize(),
            values={"techniques": ages[bucket]},
            whole=len(standing.techniques),
            urls={"techniques": urls[bucket]},
        )
        for bucket, label in AGES.items()
    ]
    return BarChart(
        name="proof-age",
        title="Age of proof",
        head="Last proven",
        numbers=Numbers(reverse("api:metrics-proof-age"), key="key"),
        series=(Series("techniques", "Techniques", "claim"),),
        rows=rows,
    )


def trend_chart(points: Sequence[TrendPoint], url: str) -> LineChart:
    """Shares of the active techniques over the days; `url` is where the API gives the same days."""
    days = [point.row.day for point in points]
    moments = [
        Moment(
            key=point.row.day.isoformat(),
            label=f"{point.row.day.day} {point.row.day:%b %Y}",
            values={series.field: point.figures[series.field] for series in LINES},
            x=f"{100 * ((point.row.day - days[0]) / max(days[-1] - days[0], DAY)):.2f}",
            note=f"counted in {point.row.release} from here" if point.new_release else "",
        )
        for point in points
    ]
    return LineChart(
        name="trend",
        title="Share of techniques",
        numbers=Numbers(url, rows="results", key="day"),
        series=LINES,
        moments=moments,
    )
