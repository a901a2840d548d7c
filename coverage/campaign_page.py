"""What the page of a campaign shows: the bar of its outcomes, and its tests in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from coverage.campaign_results import Progress, campaign_progress, compare_runs
from coverage.models import Campaign
from coverage.outcomes import Outcome

LOOKS: Final = {
    Outcome.PREVENTED: "good",
    Outcome.ALERTED: "move",
    Outcome.LOGGED: "part",
    Outcome.MISSED: "gap",
    Outcome.NOT_TESTED: "none",
}
"""Outcome -> its fill, from best to worst."""


@dataclass(frozen=True, slots=True)
class OutcomePart:
    """One part of the stacked bar; x and width are percentages for SVG."""

    outcome: Outcome
    number: int
    x: str
    width: str
    look: str


def shown(campaign: Campaign) -> dict[str, Any]:
    """The context of the page: four queries, two more for a retest."""
    progress = campaign_progress(campaign)
    tests = campaign.tests.live().in_campaign_order().without_texts().select_related("technique", "updated_by")
    return {
        "campaign": campaign,
        "progress": progress,
        "parts": list(outcome_parts(progress)),
        "tests": list(tests),
        "participants": list(campaign.participants.order_by("username")),
        "comparisons": compare_runs(campaign.retest_of, campaign) if campaign.retest_of else [],
    }


def moved(order: list[int], asked: Mapping[str, str]) -> list[int]:
    """The order with the test that `up` or `down` names one place further; as it is where that is not possible."""
    for name, step in (("up", -1), ("down", 1)):
        wanted = asked.get(name, "")
        place = next((number for number, pk in enumerate(order) if str(pk) == wanted), None)
        if place is not None and 0 <= place + step < len(order):
            order = order.copy()
            order[place], order[place + step] = order[place + step], order[place]
    return order


def outcome_parts(progress: Progress) -> Iterator[OutcomePart]:
    """The outcomes of a campaign from best to worst, as parts of a bar."""
    return stacked(progress.outcomes, progress.total)


def stacked(outcomes: Mapping[Outcome, int], total: int) -> Iterator[OutcomePart]:
    """Numbers of tests by outcome, from best to worst, as parts of a bar."""
    start = 0
    for outcome, look in LOOKS.items():
        number = outcomes.get(outcome, 0)
        yield OutcomePart(outcome, number, _share(start, total), _share(number, total), look)
        start += number


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f}%" if whole else "0%"
