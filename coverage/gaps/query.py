"""What the address of the gap ranking asks for: actors, sectors, weights. Page and API share it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from aegis.lib.filters import LONGEST
from coverage.models import Test
from intel.models import ThreatActor

HEAVIEST: Final = 10.0
MOST_TESTS: Final = 50
MOST_ACTORS: Final = 50
USUAL_TESTS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each part of a gap's score counts, from 0 to `HEAVIEST`."""

    actors: float = 2.0
    prevalence: float = 1.0
    need: float = 1.0
    ease: float = 0.5


WEIGHTS: Final = Weights()
WEIGHT_NAMES: Final = {
    "w_actors": ("actors", "Chosen actors"),
    "w_prevalence": ("prevalence", "Prevalence"),
    "w_need": ("need", "Need"),
    "w_ease": ("ease", "Ease"),
}
"""Parameter -> the weight, and its label."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One actor by ATT&CK id, and the sectors that it is said to target."""

    mitre_id: str
    name: str
    sectors: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GapQuery:
    """One ranking. `actors` and `sectors` choose whose techniques count most; none of both means all active actors.

    `tests` is the budget of the next best campaign.
    """

    actors: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    weights: Weights = WEIGHTS
    tests: int = USUAL_TESTS

    @property
    def address(self) -> str:
        """The query string that asks for the same, empty for the usual ranking."""
        return urlencode([*self._choices(), *self._weights(), *self._budget()])

    @property
    def choice(self) -> str:
        """The query string of the chosen actors and sectors alone."""
        return urlencode(self._choices())

    def _choices(self) -> list[tuple[str, str]]:
        return [*(("actor", actor) for actor in self.actors), *(("sector", sector) for sector in self.sectors)]

    def _weights(self) -> Iterable[tuple[str, str]]:
        for parameter, (name, _) in WEIGHT_NAMES.items():
            if (weight := getattr(self.weights, name)) != getattr(WEIGHTS, name):
                yield parameter, f"{weight:g}"

    def _budget(self) -> list[tuple[str, str]]:
        return [("tests", str(self.tests))] if self.tests != USUAL_TESTS else []


def weight_field(parameter: str) -> forms.FloatField:
    """The field of one weight."""
    name, label = WEIGHT_NAMES[parameter]
    usual = getattr(WEIGHTS, name)
    attrs = {"class": "input", "placeholder": f"{usual:g}", "inputmode": "decimal", "step": "any"}
    return forms.FloatField(
        min_value=0, max_value=HEAVIEST, required=False, label=label, widget=forms.NumberInput(attrs=attrs)
    )


class GapForm(forms.Form):
    """Reads a query string against the actors that there are."""

    actor = forms.MultipleChoiceField(
        required=False, label="Actors", widget=forms.SelectMultiple(attrs={"class": "input", "size": 8})
    )
    sector = forms.MultipleChoiceField(
        required=False, label="Sectors", widget=forms.SelectMultiple(attrs={"class": "input", "size": 8})
    )
    w_actors = weight_field("w_actors")
    w_prevalence = weight_field("w_prevalence")
    w_need = weight_field("w_need")
    w_ease = weight_field("w_ease")
    tests = forms.IntegerField(
        min_value=1,
        max_value=MOST_TESTS,
        required=False,
        label="Tests",
        widget=forms.NumberInput(attrs={"class": "input", "placeholder": str(USUAL_TESTS)}),
    )

    def __init__(self, values: QueryDict, known: Collection[Chosen]) -> None:
        super().__init__(_upper(values))
        sectors = sorted({sector for actor in known for sector in actor.sectors}, key=str.casefold)
        self._choices_of("actor").choices = [(actor.mitre_id, f"{actor.name} ({actor.mitre_id})") for actor in known]
        self._choices_of("sector").choices = [(sector, sector) for sector in sectors]
        self._choices_of("actor").error_messages["invalid_choice"] = "No active actor has the id %(value)s."
        self._choices_of("sector").error_messages["invalid_choice"] = "No active actor is said to target %(value)s."

    def clean_actor(self) -> list[str]:
        """The actors, not too many."""
        actors: list[str] = list(dict.fromkeys(self.cleaned_data["actor"]))
        if len(actors) > MOST_ACTORS:
            raise ValidationError(f"Choose at most {MOST_ACTORS} actors.")
        return actors

    @property
    def query(self) -> GapQuery:
        """What was asked for; a part that is wrong stays as it usually is."""
        self.is_valid()
        given: Mapping[str, Any] = self.cleaned_data
        weights = {
            name: given[parameter] for parameter, (name, _) in WEIGHT_NAMES.items() if given.get(parameter) is not None
        }
        return GapQuery(
            actors=tuple(given.get("actor", ())),
            sectors=tuple(given.get("sector", ())),
            weights=Weights(**weights),
            tests=given.get("tests") or USUAL_TESTS,
        )

    def _choices_of(self, name: str) -> forms.MultipleChoiceField:
        return cast(forms.MultipleChoiceField, self.fields[name])


def known_actors() -> list[Chosen]:
    """The active actors by name. One query."""
    rows = ThreatActor.objects.active().order_by("name", "mitre_id").values_list("mitre_id", "name", "target_sectors")
    return [Chosen(mitre_id, name, tuple(sectors)) for mitre_id, name, sectors in rows]


def chosen_actors(query: GapQuery, known: Iterable[Chosen]) -> list[Chosen]:
    """The actors whose techniques count: those that are named, and those that target a named sector; all if none is."""
    if not query.actors and not query.sectors:
        return list(known)
    return [
        actor for actor in known if actor.mitre_id in query.actors or not set(query.sectors).isdisjoint(actor.sectors)
    ]


def under_way() -> set[str]:
    """The techniques of which a test is open: nobody needs to plan another. One query."""
    return set(map(str, Test.objects.open().order_by().values_list("technique_id", flat=True).distinct()))


def _upper(values: QueryDict) -> QueryDict:
    """The values with the actors' ids as ATT&CK writes them, nothing longer than a filter's value may be, no empty ones."""
    cleaned = values.copy()
    actors = [value.strip().upper()[:LONGEST] for value in values.getlist("actor") if value.strip()]
    cleaned.setlist("actor", actors)
    cleaned.setlist("sector", [value[:LONGEST] for value in values.getlist("sector") if value])
    return cleaned
