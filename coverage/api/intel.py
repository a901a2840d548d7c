"""The news in the API: with what they name and why they matter, and what people make of them."""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.api import DetailEndpoint, ListEndpoint, StrictSerializer, username
from coverage.api.base import WorkEndpoint, given, one_of, visitor
from coverage.services.intel import (
    LONGEST,
    accept_item,
    assign_item,
    dismiss_item,
    note_item,
    raise_review,
    reopen_item,
)
from coverage.services.writing import permit
from intel.filters import IntelItemFilter
from intel.models import IntelItem, Mention

EXAMPLE: Final = {
    "id": 31,
    "title": "A breach at a port",
    "url": "https://example.org/news/31",
    "summary": "They used T1059.001.",
    "feed": 6,
    "feed_name": "Krebs on Security",
    "published_at": "2026-01-02T03:04:05Z",
    "first_seen_at": "2026-01-02T03:04:05Z",
    "state": "new",
    "assigned_to": None,
    "decided_by": None,
    "decided_at": None,
    "note": "",
    "techniques": ["T1059.001"],
    "actors": [],
    "mentions": [
        {
            "kind": "technique",
            "key": "T1059.001",
            "text": "T1059.001",
            "start": 31,
            "end": 40,
            "sentence": "They used T1059.001.",
            "confidence": 1.0,
            "confident": True,
            "reason": "ATT&CK id",
        }
    ],
}
ITEMS = IntelItem.objects.select_related("feed", "assigned_to", "decided_by").prefetch_related("mentions")


class MentionSerializer(serializers.ModelSerializer[Mention]):
    """One place that names something. `start` and `end` count characters of title, summary and page, two line feeds between."""

    kind = serializers.ChoiceField(choices=Mention.Kind.choices, read_only=True)

    class Meta:
        model = Mention
        fields = ("kind", "key", "text", "start", "end", "sentence", "confidence", "confident", "reason")
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("An article", value=EXAMPLE)])
class IntelItemSerializer(serializers.ModelSerializer[IntelItem]):
    """An article. `techniques` and `actors` are what it names with confidence."""

    feed = serializers.IntegerField(source="feed_id", read_only=True)
    feed_name = serializers.CharField(source="feed.name", read_only=True)
    state = serializers.ChoiceField(choices=IntelItem.State.choices, read_only=True)
    assigned_to = username("assigned_to")
    decided_by = username("decided_by")
    techniques = serializers.SerializerMethodField()
    actors = serializers.SerializerMethodField()
    mentions = MentionSerializer(many=True, read_only=True)

    class Meta:
        model = IntelItem
        fields = tuple(EXAMPLE)
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_techniques(self, item: IntelItem) -> list[str]:
        """ATT&CK ids, in the order of the text."""
        return _named(item, Mention.Kind.TECHNIQUE)

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_actors(self, item: IntelItem) -> list[str]:
        """ATT&CK ids, in the order of the text."""
        return _named(item, Mention.Kind.ACTOR)


@extend_schema_serializer(
    examples=[OpenApiExample("For maria", value={"assigned_to": "maria", "note": "Worth a look."}, request_only=True)]
)
class ItemChanges(StrictSerializer):
    """A note, and whose the item is: a user name, or null for nobody."""

    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST)
    assigned_to = serializers.CharField(required=False, allow_null=True, max_length=150)


@extend_schema_serializer(
    examples=[OpenApiExample("One that the item names", value={"technique": "T1059.001"}, request_only=True)]
)
class ReviewRequest(StrictSerializer):
    """The technique to review: one that the item names."""

    technique = serializers.CharField(max_length=32)


@require_action("intel.read")
@extend_schema(tags=["intel"])
class IntelItemList(ListEndpoint):
    """Articles that nobody has decided on, the newest first, unless a state is asked for."""

    queryset = ITEMS
    serializer_class = IntelItemSerializer
    filterset_class = IntelItemFilter
    ordering_fields: ClassVar[dict[str, str]] = {"id": "pk", "at": "at", "title": "title"}


@require_action("intel.read")
@extend_schema(tags=["intel"])
class IntelItemDetail(WorkEndpoint, DetailEndpoint):
    """One article, whatever its state."""

    queryset = ITEMS
    serializer_class = IntelItemSerializer
    lookup_field = "id"

    @extend_schema(request=ItemChanges, responses=IntelItemSerializer, operation_id="intel_items_update")
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002  the name in the path
        """Write a note, or give the item to somebody who triages."""
        item, user = get_object_or_404(IntelItem, pk=id), visitor(request)
        permit(user, "intel.triage", item)
        body = given(ItemChanges, request)
        if "assigned_to" in body:
            people = User.objects.filter(is_active=True)
            assign_item(by=user, item=item, to=one_of(people, "assigned_to", "username", body["assigned_to"]))
        if "note" in body:
            note_item(by=user, item=item, note=body["note"])
        return shown(id)


class DecisionEndpoint(WorkEndpoint):
    """A decision on one item."""

    reads_body = False
    service: ClassVar[Callable[..., IntelItem]]

    def decide(self, request: Request, pk: str) -> Response:
        """The item after the decision. Raises Http404."""
        type(self).service(by=visitor(request), item=get_object_or_404(IntelItem, pk=pk))
        return shown(pk)


@require_action("intel.triage")
class IntelItemAccept(DecisionEndpoint):
    """Accepting an item."""

    service = staticmethod(accept_item)

    @extend_schema(tags=["intel"], request=None, responses=IntelItemSerializer, operation_id="intel_items_accept")
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Accept an item: it is of use."""
        return self.decide(request, id)


@require_action("intel.triage")
class IntelItemDismiss(DecisionEndpoint):
    """Dismissing an item."""

    service = staticmethod(dismiss_item)

    @extend_schema(tags=["intel"], request=None, responses=IntelItemSerializer, operation_id="intel_items_dismiss")
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Dismiss an item: nothing in it is of use."""
        return self.decide(request, id)


@require_action("intel.triage")
class IntelItemReopen(DecisionEndpoint):
    """Taking a decision back."""

    service = staticmethod(reopen_item)

    @extend_schema(tags=["intel"], request=None, responses=IntelItemSerializer, operation_id="intel_items_reopen")
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Open an item again."""
        return self.decide(request, id)


@require_action("intel.triage")
class IntelItemReview(WorkEndpoint):
    """A review because of an item."""

    @extend_schema(
        tags=["intel"], request=ReviewRequest, responses=IntelItemSerializer, operation_id="intel_items_review"
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Have a technique reviewed that the item names."""
        item, body = get_object_or_404(IntelItem, pk=id), given(ReviewRequest, request)
        raise_review(by=visitor(request), item=item, technique=body["technique"].upper())
        return shown(id)


def shown(pk: Any) -> Response:
    """The item as it stands."""
    return Response(IntelItemSerializer(get_object_or_404(ITEMS.all(), pk=pk)).data)


def _named(item: IntelItem, kind: Mention.Kind) -> list[str]:
    return list(dict.fromkeys(one.key for one in item.mentions.all() if one.kind == kind and one.confident))
