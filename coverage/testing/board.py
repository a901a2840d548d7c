"""The list of tests: its order, and how many there are in each state."""

from dataclasses import dataclass
from typing import Final

from django.db.models import Count, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest

from aegis.lib.exports import Table
from aegis.lib.ordering import Keys
from coverage.filters import TestFilter
from coverage.models import Test
from coverage.testing.workflow import State

ORDER: Final[Keys] = {
    "id": "pk",
    "name": Lower("name"),
    "technique": "technique_id",
    "updated": "updated_at",
}

EXPORT: Final = Table(
    "tests",
    {
        "No.": "pk",
        "Test": "name",
        "Technique": "technique_id",
        "Technique name": "technique.name",
        "Campaign": lambda test: test.campaign.name if test.campaign else "",
        "State": "state",
        "Outcome": "outcome",
        "Expected": "expected_outcome",
        "Started": "started_at",
        "Detected": "detected_at",
        "Decided": "decided_at",
        "Decided on (SHA-256)": "decided_on_hash",
        "Updated": "updated_at",
        "Updated by": "updated_by.username",
    },
)


@dataclass(frozen=True, slots=True)
class StateTab:
    """One column of the board: its word in the query string (empty for all), its label, and how many tests it holds."""

    state: str
    label: str
    number: int
    is_current: bool


def listed() -> QuerySet[Test]:
    """Tests with what a row shows of them."""
    return Test.objects.without_texts().select_related("technique", "campaign", "updated_by")


def state_tabs(request: HttpRequest) -> list[StateTab]:
    """The tests that the other filters find, by state, after all of them together: one query."""
    asked = request.GET.copy()
    current = asked.pop("state", [""])[-1]
    found = TestFilter(asked, Test.objects.all(), request=request).qs
    numbers = dict(found.order_by().values_list("state").annotate(Count("pk")))
    states = [StateTab(state, state.label, numbers.get(state.value, 0), state == current) for state in State]
    return [StateTab("", "All", sum(numbers.values()), not current), *states]
