"""What the page of a campaign shows: the bar of its outcomes, and its tests in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coverage.campaigns.results import Progress, campaign_progress, compare_runs
from coverage.charts.drawing import BarChart, Numbers
from coverage.charts.shelf import outcome_bar
from coverage.models import Campaign


def shown(campaign: Campaign) -> dict[str, Any]:
    """The context of the page: four queries, two more for a retest."""
    progress = campaign_progress(campaign)
    tests = campaign.tests.live().in_campaign_order().without_texts().select_related("technique", "updated_by")
    return {
        "campaign": campaign,
        "progress": progress,
        "outcomes": campaign_bar(campaign, progress),
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


def campaign_bar(campaign: Campaign, progress: Progress) -> BarChart:
    """The outcomes of a campaign's live tests; each part leads to its tests."""
    numbers = Numbers(f"/api/v1/campaigns/{campaign.pk}", "progress.outcomes")
    return outcome_bar(
        "campaign-outcomes",
        numbers,
        {one.value: number for one, number in progress.outcomes.items()},
        campaign=str(campaign.pk),
    )
