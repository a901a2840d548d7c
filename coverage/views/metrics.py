"""The page of all figures, each with its definition, its picture, its table and its place in the API."""

from datetime import timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from aegis.accounts.access import require_action
from aegis.lib.pages import render_page
from coverage.charts.drawing import Numbers
from coverage.charts.shelf import (
    age_chart,
    backlog_chart,
    detection_chart,
    group_chart,
    outcome_chart,
    status_chart,
    tactic_chart,
    trend_chart,
)
from coverage.figures.groups import by_actor, by_framework, by_platform
from coverage.figures.outcomes import outcomes_by_month, outcomes_by_tactic
from coverage.figures.standing import Standing
from coverage.figures.time_to_detect import times_to_detect
from coverage.figures.trend import trend

PERIODS: Final = {"30": "30 days", "90": "90 days", "365": "a year", "all": "all days"}
MOST_ACTORS: Final = 15
"""Actors with the most techniques: the list of actors has all."""


@require_action("coverage.read")
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """Everything that is counted; `?days=` says how far back the trend goes."""
    asked = request.GET.get("days", "")
    period = asked if asked in PERIODS else "90"
    standing = Standing.now()
    since = None if period == "all" else timezone.now().date() - timedelta(days=int(period))
    url = reverse("api:metrics-trend", query={"since": since.isoformat()} if since else None)
    outcomes = reverse("api:metrics-outcomes")
    context = {
        "as_of": timezone.now(),
        "standing": standing,
        "whole": standing.whole,
        "period": period,
        "periods": PERIODS,
        "most_actors": MOST_ACTORS,
        "trend": trend_chart(trend(since=since), url),
        "backlogs": backlog_chart(standing),
        "statuses": status_chart(standing.whole),
        "tactics": tactic_chart(standing),
        "ages": age_chart(standing),
        "detection": detection_chart(times_to_detect(standing)),
        "outcomes": outcome_chart("outcomes", "Tactic", Numbers(outcomes, key="key"), outcomes_by_tactic(standing)),
        "months": outcome_chart(
            "outcomes-by-month", "Month", Numbers(f"{outcomes}?by=month", key="key"), outcomes_by_month()
        ),
        "groups": [
            group_chart(
                by_platform(standing),
                lambda key: {"platform": key},
                name="by-platform",
                title="Coverage by platform",
                head="Platform",
                numbers=Numbers(reverse("api:metrics-by-platform"), key="key"),
            ),
            group_chart(
                by_actor(standing)[:MOST_ACTORS],
                lambda key: {"actor": key},
                name="by-actor",
                title="Coverage by actor",
                head="Actor",
                numbers=Numbers(reverse("api:metrics-by-actor"), key="key"),
            ),
            group_chart(
                by_framework(standing),
                lambda key: {"framework": key},
                name="by-framework",
                title="Coverage by framework",
                head="Framework",
                numbers=Numbers(reverse("api:metrics-by-framework"), key="key"),
            ),
        ],
    }
    return render_page(request, "coverage/metrics.html", context)
