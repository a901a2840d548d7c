"""What a report's document is filled with: texts and lists of texts only, so that no template reaches a row or a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.template.defaultfilters import filesizeformat
from django.utils.dateformat import format as formatted

from aegis.lib.durations import duration
from coverage.campaigns.results import Comparison
from coverage.charts.drawing import BarChart
from coverage.models import Test
from coverage.reports.annex import Annexed
from coverage.reports.campaign import CampaignReport, Finding
from coverage.reports.executive import ExecutiveReport, OwnedGap
from coverage.reports.words import DEFINITIONS, sources_said, trail_said
from coverage.testing.outcomes import Outcome

Words = dict[str, Any]
SPANS: Final = 48
"""Columns of the table that is the bar of a document."""

COLOURS: Final = {"good": "0B7A6F", "move": "4F86D8", "part": "DBA127", "gap": "C8480F", "none": "BCC6D3"}
"""Look of a series -> its colour on paper, as in static/css/tokens.css."""


def executive_words(report: ExecutiveReport, address: str) -> Words:
    """The executive report."""
    whole, tests = report.whole, report.tests
    return {
        "title": "Executive report: detection coverage",
        "meta": [_period(report.period.since, report.period.until), report.release, _as_of(report.printed_at)],
        "lead": report.lead,
        "scope": report.scope,
        "figures": [
            _figure("Techniques", whole.techniques),
            _figure("Claimed", whole.claimed, f"{whole.claimed_percent}\u00a0%"),
            _figure("Proven", whole.proven, f"{whole.proven_percent}\u00a0%"),
            _figure("Proven gaps", whole.proven_gaps),
            {
                "label": "Time to detect",
                "value": duration(tests.time_to_detect),
                "note": f"median of {tests.detected:,}",
            },
        ],
        "tactics": [
            {
                "name": one.name,
                "all": f"{one.techniques:,}",
                "claimed": f"{one.claimed:,}",
                "proven": f"{one.proven:,}",
                "gaps": f"{one.proven_gaps:,}",
            }
            for one in report.tactics
        ],
        "trend": _trend(report),
        "outcomes": _outcomes(tests.outcomes),
        "bar": _bar(tests.outcomes),
        "tests_said": tests.said,
        "gaps": [_gap(row) for row in report.gaps],
        "gaps_said": report.gaps_said,
        "annex": [_annexed(test) for test in tests.annex],
        "annex_said": tests.annex_said,
        **_origin(report, address),
    }


def campaign_words(report: CampaignReport, address: str) -> Words:
    """The report of a campaign."""
    campaign, progress = report.campaign, report.progress
    return {
        "title": f"Campaign report: {campaign.name}",
        "meta": [_period(campaign.starts_on, campaign.ends_on), report.release, _as_of(report.printed_at)],
        "figures": [
            _figure("Tests", progress.total),
            _figure("Decided", progress.decided, f"{progress.percent} %"),
            *(_figure(part["label"], int(part["number"])) for part in _outcomes(report.outcomes)),
            {
                "label": "Time to detect",
                "value": duration(progress.time_to_detect),
                "note": f"median of {progress.detected}",
            },
        ],
        "scope": [{"word": word, "text": text} for word, text in report.scope if text],
        "outcomes": _outcomes(report.outcomes),
        "bar": _bar(report.outcomes),
        "findings": [_finding(one) for one in report.findings],
        "runs_said": report.runs.said if report.runs else "",
        "runs": [_pair(pair) for pair in report.runs.pairs] if report.runs else [],
        "evidence": [
            {
                "file": file.original_name,
                "test": f"{file.test.technique_id} {file.test.name}",
                "by": f"{file.uploaded_by.username} ({file.get_side_display()})",
                "size": filesizeformat(file.size),
                "sha256": file.sha256,
            }
            for file in report.evidence
        ],
        **_origin(report, address),
    }


def _origin(report: ExecutiveReport | CampaignReport, address: str) -> Words:
    origin = {
        "ATT&CK release": report.release or "none imported",
        "Sources": sources_said(report.sources),
        "Audit trail": trail_said(report.head),
        "Address": address,
    }
    return {
        "definitions": [{"word": word, "text": text} for word, text in DEFINITIONS],
        "origin": [{"word": word, "text": text} for word, text in origin.items()],
        "printed_at": _as_of(report.printed_at),
    }


def _trend(report: ExecutiveReport) -> Words | None:
    if not report.lines:
        return None
    first, last = report.days[0], report.days[-1]
    return {
        "first": _day(first.day),
        "last": _day(last.day),
        "rows": [
            {"name": line.name, "first": f"{line.first}\u00a0%", "last": f"{line.last}\u00a0%"} for line in report.lines
        ],
        "note": "" if first.release == last.release else f"Counted in {first.release}, then in {last.release}.",
    }


def _gap(row: OwnedGap) -> Words:
    return {
        "technique": f"{row.gap.mitre_id} {row.gap.name}",
        "why": "; ".join(term.words for term in row.gap.terms),
        "score": f"{row.gap.score:.2f}",
        "owner": row.said,
    }


def _annexed(test: Annexed) -> Words:
    return {
        "test": f"{test.name} {test.mitre_id}",
        "outcome": str(Outcome(test.outcome).label),
        "decided": f"{test.decided_by} {_moment(test.decided_at)}",
        "sha256": test.decided_on_hash,
        "evidence": [" ".join(file) for file in test.files],
    }


def _finding(one: Finding) -> Words:
    test = one.test
    return {
        "name": test.name,
        "technique": f"{test.technique_id} {test.technique.name}",
        "outcome": _outcome(test),
        "expected": test.get_expected_outcome_display(),
        "seen_after": duration(test.time_to_detect),
        "state": test.get_state_display(),
        "who": one.who,
        "note": one.note,
        "sha256": test.decided_on_hash,
    }


def _pair(pair: Comparison) -> Words:
    named = pair.second or pair.first
    return {
        "name": named.name if named else "",
        "before": _outcome(pair.first),
        "now": _outcome(pair.second),
        "change": pair.change.capitalize(),
    }


def _outcome(test: Test | None) -> str:
    return str(Outcome(test.outcome).label) if test else "–"


def _outcomes(chart: BarChart) -> Sequence[Mapping[str, str]]:
    return [{"label": mark.series.label, "number": mark.text} for mark in chart.drawn[0].marks]


def _bar(chart: BarChart) -> list[Words]:
    """The parts of a bar that have a width: how many of its columns each takes, all of them together, and its colour."""
    marks = [mark for mark in chart.drawn[0].marks if mark.value]
    total = sum(mark.value for mark in marks)
    spans = [max(1, int(SPANS * mark.value / total)) for mark in marks]
    while spans and sum(spans) != SPANS:
        widest = max(range(len(spans)), key=lambda place: marks[place].value)
        spans[widest] += SPANS - sum(spans)
    return [{"span": span, "colour": COLOURS[mark.series.look]} for span, mark in zip(spans, marks, strict=True)]


def _figure(label: str, number: int, note: str = "") -> Words:
    return {"label": label, "value": f"{number:,}", "note": note}


def _period(since: date | None, until: date | None) -> str:
    return f"{_day(since)} – {_day(until)}" if since or until else ""


def _day(day: date | None) -> str:
    return formatted(day, "j M Y") if day else ""


def _moment(at: datetime | None) -> str:
    return f"{formatted(at, 'j M Y, H:i')} UTC" if at else ""


def _as_of(at: datetime) -> str:
    return f"as of {_moment(at)}"
