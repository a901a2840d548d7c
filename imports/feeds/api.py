"""Feeds, their scans, and asking for one, in the API."""

import time
from datetime import timedelta
from typing import Any, ClassVar, Final, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import refuse_other_roles, require_action
from aegis.accounts.models import User
from aegis.accounts.policy import allows
from aegis.accounts.repeats import repeatable
from aegis.lib.api import Conflicting, DetailEndpoint, Endpoint, ListEndpoint, StrictSerializer, username
from aegis.lib.listing import refuse_unknown_parameters
from imports.feeds.managing import add_feed, archive_feed, edit_feed
from imports.feeds.scan import ScanRunning, queue_scan
from imports.queueing import machinery
from imports.system_api import WAIT, is_asked
from intel.models import Feed, FeedScan

WAIT_AT_MOST: Final = timedelta(seconds=120)
FEED_EXAMPLE: Final = {
    "id": 6,
    "slug": "krebs",
    "name": "Krebs on Security",
    "url": "https://krebsonsecurity.com/feed/",
    "kind": "rss",
    "enabled": True,
    "every_hours": 168,
    "fetch_pages": False,
    "is_sample": False,
    "archived": False,
    "state": "healthy",
    "last_tried_at": "2026-01-02T03:04:05Z",
    "last_ok_at": "2026-01-02T03:04:05Z",
    "failures": 0,
    "last_error": "",
    "due_at": "2026-01-09T03:04:05Z",
}
SCAN_EXAMPLE: Final = {
    "id": 12,
    "status": "succeeded",
    "trigger": "api",
    "requested_by": "maria",
    "feed": None,
    "created_at": "2026-01-02T03:04:05Z",
    "started_at": "2026-01-02T03:04:05Z",
    "finished_at": "2026-01-02T03:04:11Z",
    "seconds": 6.2,
    "created": 14,
    "updated": 1,
    "unchanged": 80,
    "reread": 0,
    "flagged": 9,
    "held_back": 0,
    "results": [
        {
            "feed": 6,
            "name": "Krebs on Security",
            "status": "succeeded",
            "found": 10,
            "created": 2,
            "updated": 0,
            "unchanged": 8,
            "quiet": 0,
            "seconds": 1.4,
            "message": "",
            "issues": [],
        }
    ],
    "error": "",
}


@extend_schema_serializer(examples=[OpenApiExample("A feed", value=FEED_EXAMPLE)])
class FeedSerializer(serializers.ModelSerializer[Feed]):
    """A feed and how it fares. `state` is healthy, failed, never, disabled or archived; `last_error` says why it failed."""

    archived = serializers.SerializerMethodField()
    state = serializers.CharField(read_only=True)

    class Meta:
        model = Feed
        fields: ClassVar[tuple[str, ...]] = tuple(FEED_EXAMPLE)
        read_only_fields: ClassVar[tuple[str, ...]] = fields

    def to_representation(self, instance: Feed) -> dict[str, Any]:
        """The fields; a token in the address is for those who manage feeds."""
        request = self.context.get("request")
        shown = {} if request and allows(request.user, "feed.manage") else {"url": instance.shown_url}
        return {**super().to_representation(instance), **shown}

    def get_archived(self, feed: Feed) -> bool:
        """Whether it is scanned no more."""
        return feed.archived_at is not None


class FeedResultSerializer(serializers.Serializer[Any]):
    """What a scan did with one feed. `quiet` entries were not kept: nothing in them is of note."""

    feed = serializers.IntegerField()
    name = serializers.CharField()
    status = serializers.CharField()
    found = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    quiet = serializers.IntegerField()
    seconds = serializers.FloatField()
    message = serializers.CharField()
    issues = serializers.ListField(child=serializers.CharField())


@extend_schema_serializer(examples=[OpenApiExample("A scan", value=SCAN_EXAMPLE)])
class FeedScanSerializer(serializers.ModelSerializer[FeedScan]):
    """One scan. `flagged` techniques ask for a review since; `held_back` were named too, and left alone.

    `reread` items name something else, because the catalogue has other names than when they were read.
    """

    requested_by = username("requested_by")
    feed = serializers.IntegerField(source="feed_id", allow_null=True, read_only=True)
    seconds = serializers.FloatField(allow_null=True, read_only=True)
    results = FeedResultSerializer(many=True, read_only=True)
    status = serializers.CharField(read_only=True)

    class Meta:
        model = FeedScan
        fields: ClassVar[tuple[str, ...]] = tuple(SCAN_EXAMPLE)
        read_only_fields: ClassVar[tuple[str, ...]] = fields


@extend_schema_serializer(examples=[OpenApiExample("Less often", value={"every_hours": 24}, request_only=True)])
class FeedChanges(StrictSerializer):
    """What an admin says of a feed."""

    name = serializers.CharField(max_length=120, required=False)
    url = serializers.CharField(max_length=500, required=False, help_text="https, on a host that is allowed.")
    kind = serializers.ChoiceField(choices=Feed.Kind.choices, required=False)
    enabled = serializers.BooleanField(required=False)
    every_hours = serializers.IntegerField(min_value=1, max_value=8760, required=False)
    fetch_pages = serializers.BooleanField(required=False)


@extend_schema_serializer(
    examples=[
        OpenApiExample("New", value={"name": "Advisories", "url": "https://www.cisa.gov/a.xml"}, request_only=True)
    ]
)
class NewFeed(FeedChanges):
    """A feed to add."""

    name = serializers.CharField(max_length=120)
    url = serializers.CharField(max_length=500, help_text="https, on a host that is allowed.")


@require_action("intel.read")
@extend_schema(tags=["intel"])
class FeedList(ListEndpoint):
    """Feeds that are not archived."""

    queryset = Feed.objects.kept()
    serializer_class = FeedSerializer
    ordering_fields: ClassVar[dict[str, str]] = {"id": "pk", "name": "name", "due_at": "due_at"}

    @extend_schema(request=NewFeed, responses={201: FeedSerializer}, operation_id="feeds_create")
    @repeatable("feed.manage")
    def post(self, request: Request) -> Response:
        """Add an RSS or Atom feed on an allowed host; one that was archived comes back. Admins alone."""
        feed = add_feed(_managed(request, NewFeed))
        return Response(FeedSerializer(feed).data, status=status.HTTP_201_CREATED)


@require_action("intel.read")
@extend_schema(tags=["intel"])
class FeedDetail(DetailEndpoint):
    """One feed, archived or not."""

    queryset = Feed.objects.all()
    serializer_class = FeedSerializer
    lookup_field = "id"

    @extend_schema(request=FeedChanges, responses=FeedSerializer, operation_id="feeds_update")
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002  the name in the path
        """Change a feed. Admins alone."""
        changes = _managed(request, FeedChanges)
        return Response(FeedSerializer(edit_feed(get_object_or_404(Feed, pk=id), changes)).data)

    @extend_schema(responses={204: None}, operation_id="feeds_archive")
    def delete(self, request: Request, id: str) -> Response:  # noqa: A002
        """Archive a feed: it is scanned no more, its items stay. Admins alone."""
        _managed(request, None)
        archive_feed(get_object_or_404(Feed, pk=id))
        return Response(status=status.HTTP_204_NO_CONTENT)


@require_action("intel.read")
@extend_schema(tags=["intel"])
class FeedScanList(ListEndpoint):
    """Scans of feeds, the newest first."""

    queryset = FeedScan.objects.select_related("requested_by")
    serializer_class = FeedScanSerializer
    ordering_fields: ClassVar[dict[str, str]] = {"id": "pk", "created_at": "created_at"}


@require_action("intel.read")
@extend_schema(tags=["intel"])
class FeedScanDetail(DetailEndpoint):
    """One scan, with what it did with each feed."""

    queryset = FeedScan.objects.select_related("requested_by")
    serializer_class = FeedScanSerializer
    lookup_field = "id"


@require_action("feed.manage")
class RunIntelScan(Endpoint):
    """Asking for a scan of all enabled feeds."""

    reads_body = False

    @extend_schema(
        tags=["system"],
        parameters=[WAIT],
        request=None,
        responses={status.HTTP_202_ACCEPTED: FeedScanSerializer, status.HTTP_200_OK: FeedScanSerializer},
        operation_id="system_run_intel_scan",
    )
    def post(self, request: Request) -> Response:
        """Scan the feeds now: 202 with the scan that waits, or with `wait` 200 once it has ended. 409 if one is under way."""
        refuse_unknown_parameters(request, ["wait", "format"])
        wait = is_asked(request, "wait")
        try:
            scan = queue_scan(by=cast(User, request.user), trigger="api")
        except ScanRunning as error:
            raise Conflicting(str(error)) from error
        scan = wait_for_scan(scan) if wait else scan
        code = status.HTTP_202_ACCEPTED if scan.is_active else status.HTTP_200_OK
        return Response(FeedScanSerializer(scan).data, status=code)


def wait_for_scan(scan: FeedScan) -> FeedScan:
    """The scan once it has ended; as it stands when the time is up, or when no worker is there to begin it."""
    begun = time.monotonic()
    scan.refresh_from_db()
    while scan.is_active and time.monotonic() - begun < WAIT_AT_MOST.total_seconds():
        waits_in_vain = scan.status == FeedScan.Status.QUEUED and time.monotonic() - begun > 5
        if waits_in_vain and not machinery().has_worker:
            break
        time.sleep(0.2)
        scan.refresh_from_db()
    return scan


def _managed(request: Request, form: type[StrictSerializer] | None) -> dict[str, Any]:
    """The cleaned body. Raises PermissionDenied for all but those who manage feeds, ValidationError by field."""
    refuse_other_roles(request.user, "feed.manage")
    if form is None:
        return {}
    body = form(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
