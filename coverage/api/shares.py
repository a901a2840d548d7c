"""How some techniques stand, in the API: the figures beside an actor, a framework, a control."""

from functools import cached_property
from typing import Any, Final

from rest_framework import serializers

from coverage.figures.shares import TechniqueFacts

SHARES_EXAMPLE: Final = {
    "techniques": 40,
    "claimed": 36,
    "claimed_percent": 90.0,
    "proven": 4,
    "proven_percent": 10.0,
    "missed": 2,
    "proven_gaps": 1,
}


class SharesSerializer(serializers.Serializer[Any]):
    """How some techniques stand, in numbers of active ones. Of a control: mapped techniques with proof, never compliance."""

    techniques = serializers.IntegerField()
    claimed = serializers.IntegerField(help_text="A live detection rule names it.")
    claimed_percent = serializers.FloatField()
    proven = serializers.IntegerField(help_text="A validated test of its own met what it expected.")
    proven_percent = serializers.FloatField()
    missed = serializers.IntegerField(help_text="On a validated test less was seen than expected.")
    proven_gaps = serializers.IntegerField(help_text="Missed, and proven by no test.")


class WithFacts:
    """A view whose serializers tell how techniques stand."""

    @cached_property
    def facts(self) -> TechniqueFacts:
        """How techniques stand, asked for once."""
        return TechniqueFacts.now()


def facts_of(serializer: serializers.BaseSerializer[Any]) -> TechniqueFacts:
    """How techniques stand, as the view of the serializer asked."""
    view: WithFacts = serializer.context["view"]
    return view.facts
