"""The gap ranking in the API."""

from dataclasses import asdict
from typing import Any, Final, TypeVar

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.lib.api import Endpoint
from aegis.lib.filters import LONGEST
from aegis.lib.listing import Pages
from coverage.api.base import visitor
from coverage.gaps.owners import LONGEST_NAME, MINE, NOBODY, OwnedGapForm, owned_by
from coverage.gaps.query import HEAVIEST, WEIGHT_NAMES, WEIGHTS, GapForm, GapQuery, known_actors
from coverage.gaps.ranking import NEED_WORDS, Gap, GapFacts, ranked_gaps
from coverage.techniques.status import Status

PARAMETERS: Final = ("actor", "sector", *WEIGHT_NAMES, "owner")
SEVERAL: Final = ("actor", "sector")
Asked = TypeVar("Asked", bound=GapForm)


class TermSerializer(serializers.Serializer[Any]):
    """One part of a score: `share` times `weight`, rounded to two decimals, is `points`."""

    name = serializers.ChoiceField(["actors", "prevalence", "need", "ease"])
    words = serializers.CharField()
    share = serializers.FloatField()
    weight = serializers.FloatField()
    points = serializers.FloatField()


class AtHandSerializer(serializers.Serializer[Any]):
    """How many of each there are for the technique itself."""

    templates = serializers.IntegerField()
    rules = serializers.IntegerField()
    defences = serializers.IntegerField()
    controls = serializers.IntegerField()


class GapSerializer(serializers.Serializer[Any]):
    """A technique that is not proven. `score` is the sum of the points of its terms, and `arithmetic` says so in words.

    `actors` counts the chosen actors that use it, `users` all active actors and software. `owner` is whose
    work it is, until `due_on` if that is said; null: nobody's yet.
    """

    rank = serializers.IntegerField()
    mitre_id = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    proven_gap = serializers.BooleanField()
    need = serializers.ChoiceField(list(NEED_WORDS))
    actors = serializers.IntegerField()
    users = serializers.IntegerField()
    at_hand = AtHandSerializer()
    score = serializers.FloatField()
    terms = TermSerializer(many=True)
    arithmetic = serializers.CharField()
    owner = serializers.CharField(allow_null=True)
    owner_active = serializers.BooleanField(allow_null=True, help_text="False: deactivated since.")
    due_on = serializers.DateField(allow_null=True)
    overdue = serializers.BooleanField()


class WeightsSerializer(serializers.Serializer[Any]):
    """The weight of each term."""

    actors = serializers.FloatField()
    prevalence = serializers.FloatField()
    need = serializers.FloatField()
    ease = serializers.FloatField()


EXAMPLE: Final = {
    "rank": 1,
    "mitre_id": "T1059.001",
    "name": "PowerShell",
    "status": "not_covered",
    "proven_gap": False,
    "need": "unproven",
    "actors": 3,
    "users": 41,
    "at_hand": {"templates": 4, "rules": 12, "defences": 0, "controls": 14},
    "score": 2.42,
    "terms": [
        {"name": "actors", "words": "3 of 5 chosen actors", "share": 0.6, "weight": 2.0, "points": 1.2},
        {
            "name": "prevalence",
            "words": "41 of at most 120 actors and software",
            "share": 0.3417,
            "weight": 1.0,
            "points": 0.34,
        },
        {
            "name": "need",
            "words": "no validated test met what it expected (0.5)",
            "share": 0.5,
            "weight": 1.0,
            "points": 0.5,
        },
        {
            "name": "ease",
            "words": "3 of 4 at hand (template, rule, control)",
            "share": 0.75,
            "weight": 0.5,
            "points": 0.38,
        },
    ],
    "arithmetic": "3 of 5 chosen actors × 2 = 1.20 + …; 2.42",
    "owner": "maria",
    "owner_active": True,
    "due_on": "2026-03-31",
    "overdue": False,
}


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "The first",
            value={
                "count": 1,
                "next": None,
                "previous": None,
                "release": "enterprise-attack 18.1",
                "as_of": "2026-01-02T03:04:05Z",
                "chosen_actors": ["G0007", "G0016"],
                "weights": asdict(WEIGHTS),
                "results": [EXAMPLE],
            },
        )
    ]
)
class GapPageSerializer(serializers.Serializer[Any]):
    """A page of the ranking; `chosen_actors` are the ATT&CK ids of the actors that count: all active ones unless chosen."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    release = serializers.CharField()
    as_of = serializers.DateTimeField()
    chosen_actors = serializers.ListField(child=serializers.CharField())
    weights = WeightsSerializer()
    results = GapSerializer(many=True)


def several(name: str, description: str) -> OpenApiParameter:
    """A parameter that may be given several times."""
    return OpenApiParameter(
        name, {"type": "array", "items": {"type": "string", "maxLength": LONGEST}}, description=description
    )


CHOICE: Final = [
    several("actor", "ATT&CK id of an active actor whose techniques count; give it several times for several."),
    several("sector", "Count the active actors that are said to target a sector; may be given several times."),
]
WEIGHED: Final = [
    OpenApiParameter(
        name,
        {"type": "number", "minimum": 0, "maximum": HEAVIEST, "default": getattr(WEIGHTS, weight)},
        description=f"Weight of: {label.lower()}.",
    )
    for name, (weight, label) in WEIGHT_NAMES.items()
]


@require_action("coverage.read")
class MetricsGaps(Endpoint):
    """Techniques that are not proven, the most urgent first."""

    @extend_schema(
        responses=GapPageSerializer,
        operation_id="metrics_gaps",
        tags=["metrics"],
        parameters=[
            *CHOICE,
            *WEIGHED,
            OpenApiParameter(
                "owner",
                {"type": "string", "maxLength": LONGEST_NAME},
                description=f"Whose gaps: `{MINE}`, `{NOBODY}` for those that nobody has, or a user name. Ranks stay.",
            ),
            OpenApiParameter("page", {"type": "integer", "minimum": 1}, description="The page, from 1."),
            OpenApiParameter(
                "page_size", {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}, description="Its rows."
            ),
        ],
    )
    def get(self, request: Request) -> Response:
        """The ranking, as the page /gaps has it.

        A score adds up four terms, each a share from 0 to 1 times its weight: chosen actors that use the technique, of all
        chosen; actors and software that use it, of those of the most used technique; need (1 for a proven gap, 0.5 where no
        validated test met what it expected, 0.25 while a test is under way); and how many of template, rule, D3FEND
        technique and control are at hand.
        """
        known = known_actors()
        form = gap_form(request, known, (*PARAMETERS, "page", "page_size", "format"), OwnedGapForm)
        query = form.query
        facts = GapFacts.now(query, known)
        pages = Pages()
        rows = owned_by(ranked_gaps(facts, query), form.asked_owner, visitor(request))
        page = pages.paginate_queryset(rows, request, view=self)
        envelope = pages.get_paginated_response([described(gap) for gap in page or ()]).data
        figures = {
            "release": facts.standing.release,
            "as_of": timezone.now(),
            "chosen_actors": [actor.mitre_id for actor in facts.chosen],
            "weights": asdict(query.weights),
        }
        return Response(GapPageSerializer(envelope | figures).data)


def gap_query(request: Request, known: Any, names: tuple[str, ...]) -> GapQuery:
    """What the query string asks for. Raises ValidationError by parameter."""
    return gap_form(request, known, names, GapForm).query


def gap_form(request: Request, known: Any, names: tuple[str, ...], kind: type[Asked]) -> Asked:
    """The form that the query string fills in. Raises ValidationError by parameter."""
    given = request.query_params
    errors = {
        name: [f"There is no parameter `{name}` here: choose from {', '.join(names)}."]
        for name in given
        if name not in names
    }
    repeated = {name: ["Give it once."] for name, values in given.lists() if len(values) > 1 and name not in SEVERAL}
    form = kind(given, known)
    if errors or repeated or form.errors:
        raise ValidationError(
            {name: [str(text) for text in texts] for name, texts in form.errors.items()} | repeated | errors
        )
    return form


def described(gap: Gap) -> dict[str, Any]:
    """A gap as its serializer reads it."""
    whose: dict[str, Any] = {"owner": None, "owner_active": None, "due_on": None, "overdue": False}
    if gap.owner:
        whose = {
            "owner": gap.owner.username,
            "owner_active": gap.owner.is_active,
            "due_on": gap.owner.due_on,
            "overdue": gap.owner.is_overdue,
        }
    return asdict(gap) | {"score": gap.score, "arithmetic": gap.arithmetic} | whose
