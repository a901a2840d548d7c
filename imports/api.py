"""Data sources, import runs, and what did not resolve, in the API."""

from datetime import timedelta
from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.policy import allows
from aegis.lib.api import DetailEndpoint, ListEndpoint, StrictSerializer, username
from aegis.lib.listing import FilterBackend
from imports.filters import OPTIONAL_SLUGS, DataSourceFilter, ImportRunFilter, UnresolvedReferenceFilter
from imports.models import DataSource, ImportRun
from imports.references import unresolved_references
from imports.schedule import LONGEST_SCHEDULE, change_source

SOURCE_ID = OpenApiParameter("id", str, "path", description="The row's number, or its slug.")
STATISTICS = {
    "created": 3,
    "updated": 2,
    "unchanged": 3775,
    "withdrawn": 1,
    "restored": 0,
    "skipped": 471,
    "unresolved": 0,
    "issues": 0,
}
RUN_EXAMPLE = {
    "id": 90,
    "source": "sigma",
    "status": "succeeded",
    "dry_run": False,
    "trigger": "command",
    "requested_by": None,
    "created_at": "2026-01-02T03:04:05Z",
    "started_at": "2026-01-02T03:04:05Z",
    "finished_at": "2026-01-02T03:04:11Z",
    "seconds": 6.2,
    "version": "0123456789abcdef0123456789abcdef01234567",
    "origin": "https://codeload.github.com/SigmaHQ/sigma/tar.gz/refs/heads/master",
    "step": "",
    "done": 0,
    "total": 0,
    "statistics": STATISTICS,
    "error": "",
    "reasons": [],
    "applies": None,
    "undoes": None,
    "decision": "",
    "decided_by": None,
    "decided_at": None,
}
EFFECTS_EXAMPLE = {
    "tests": {
        "total": 1,
        "rows": [{"test": 7, "name": "Shell", "technique": "T1059.001", "text": "T1059.001 is revoked by T1218."}],
    },
    "statuses": {
        "total": 1,
        "rows": [{"technique": "T1059", "name": "Interpreter", "before": "validated", "after": "not_covered"}],
    },
    "reviews": {
        "total": 1,
        "rows": [{"technique": "T1059.001", "name": "PowerShell", "text": "ATT&CK 18.1 changed: revoked."}],
    },
}


class StatisticsSerializer(serializers.Serializer[Any]):
    """What a run did, in rows of the catalogue."""

    created = serializers.IntegerField(required=False)
    updated = serializers.IntegerField(required=False)
    unchanged = serializers.IntegerField(required=False)
    withdrawn = serializers.IntegerField(required=False)
    restored = serializers.IntegerField(required=False)
    skipped = serializers.IntegerField(required=False)
    unresolved = serializers.IntegerField(required=False)
    issues = serializers.IntegerField(required=False)


class HoldReasonSerializer(serializers.Serializer[Any]):
    """Why a run is held for a person."""

    code = serializers.CharField()
    text = serializers.CharField()


@extend_schema_serializer(examples=[OpenApiExample("A run", value=RUN_EXAMPLE)])
class ImportRunSerializer(serializers.ModelSerializer[ImportRun]):
    """One import of one source. `step`, `done` and `total` tell how far a run has come.

    A preview (`dry_run`) and a run that is `held` wrote nothing to the catalogue; `reasons` say why it is held, or would be
    (`code`: withdrawals, older, undone). `decision` is what became of them: applied, discarded, superseded, empty while they
    wait. `applies` is the run whose snapshot this one applies, `undoes` the one that it takes back.
    """

    source = serializers.CharField(source="source.slug", read_only=True)  # type: ignore[assignment]
    status = serializers.ChoiceField(choices=ImportRun.Status.choices, read_only=True)
    requested_by = username("requested_by")
    seconds = serializers.FloatField(allow_null=True, read_only=True)
    statistics = StatisticsSerializer(read_only=True)
    reasons = HoldReasonSerializer(many=True, read_only=True)
    applies = serializers.IntegerField(source="applies_id", allow_null=True, read_only=True)
    undoes = serializers.IntegerField(source="undoes_id", allow_null=True, read_only=True)
    decision = serializers.ChoiceField(choices=["", *ImportRun.Decision.values], read_only=True)
    decided_by = username("decided_by")

    class Meta:
        model = ImportRun
        fields: tuple[str, ...] = tuple(RUN_EXAMPLE)
        read_only_fields: tuple[str, ...] = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A run, by kind",
            value=RUN_EXAMPLE | {"kinds": {"catalog.detectionrule": STATISTICS}, "effects": EFFECTS_EXAMPLE},
        )
    ]
)
class ImportRunDetailSerializer(ImportRunSerializer):
    """A run with its counts by kind of row, and with what it moves, or would move, in our own work.

    `effects` has `tests` whose technique, template or rule changes, `statuses` of techniques that become others, and `reviews`
    of techniques that are flagged: each with its `total` and the first 200 `rows`. What moves nothing is left out.
    """

    kinds = serializers.DictField(child=StatisticsSerializer(), read_only=True)
    effects = serializers.DictField(child=serializers.DictField(), read_only=True)

    class Meta(ImportRunSerializer.Meta):
        fields = (*RUN_EXAMPLE, "kinds", "effects")
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A source",
            value={
                "id": 4,
                "slug": "sigma",
                "label": "SigmaHQ detection rules",
                "license": "DRL-1.1",
                "homepage": "https://github.com/SigmaHQ/sigma",
                "enabled": True,
                "optional": False,
                "is_sample": False,
                "state": "succeeded",
                "schedule_hours": 720.0,
                "next_sync_at": "2026-02-01T03:04:11Z",
                "current_version": "0123456789abcdef0123456789abcdef01234567",
                "last_sync_at": "2026-01-02T03:04:11Z",
                "last_sync_status": "succeeded",
                "last_sync_stats": STATISTICS,
                "last_run": RUN_EXAMPLE,
            },
        )
    ]
)
class DataSourceSerializer(serializers.ModelSerializer[DataSource]):
    """An upstream. `state` is the status of its last run, `never` before the first.

    An `optional` source is none of the nine: it is disabled until an admin enables it.

    `schedule_hours` are the hours between two syncs, null for a source that is synced by hand only; `next_sync_at` is when the
    next one is due, null for a source that is disabled, synced by hand, or was never synced: that is due at once.

    `last_sync_stats` are those of the last run that succeeded. Previews do not count as runs here.
    """

    optional = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    next_sync_at = serializers.DateTimeField(read_only=True, allow_null=True)
    schedule_hours = serializers.SerializerMethodField()
    last_sync_stats = StatisticsSerializer(read_only=True)
    last_run = serializers.SerializerMethodField()

    class Meta:
        model = DataSource
        fields = (
            "id",
            "slug",
            "label",
            "license",
            "homepage",
            "enabled",
            "optional",
            "is_sample",
            "state",
            "schedule_hours",
            "next_sync_at",
            "current_version",
            "last_sync_at",
            "last_sync_status",
            "last_sync_stats",
            "last_run",
        )
        read_only_fields = fields

    def get_optional(self, source: DataSource) -> bool:
        """Whether it is none of the nine."""
        return source.slug in OPTIONAL_SLUGS

    def get_state(self, source: Any) -> str:
        """The status of the last run."""
        return str(source.newest[0].status) if source.newest else "never"

    def get_schedule_hours(self, source: DataSource) -> float | None:
        """Hours between two imports, None if it is imported by hand only."""
        return source.every / timedelta(hours=1) if source.every else None

    @extend_schema_field(ImportRunSerializer(allow_null=True))
    def get_last_run(self, source: Any) -> Any:
        """The last run that was no preview, None before the first."""
        return ImportRunSerializer(source.newest[0]).data if source.newest else None


def with_newest_run() -> QuerySet[DataSource]:
    """Data sources, each with `newest`: a list of its last run that was no preview, empty before the first."""
    runs = ImportRun.objects.filter(dry_run=False)
    newest = runs.filter(source=OuterRef("source")).order_by("-pk").values("pk")[:1]
    last = runs.filter(pk=Subquery(newest)).select_related("source", "requested_by", "decided_by")
    return DataSource.objects.prefetch_related(Prefetch("runs", last, to_attr="newest"))


@require_action("source.read")
@extend_schema(tags=["imports"])
class DataSourceList(ListEndpoint):
    """The nine data sources, in the order in which they are imported; `?optional=true` lists the optional ones instead."""

    queryset = with_newest_run()
    serializer_class = DataSourceSerializer
    filterset_class = DataSourceFilter


class SourceChanges(StrictSerializer):
    """What an admin may change of a source."""

    enabled = serializers.BooleanField(required=False)
    schedule_hours = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=LONGEST_SCHEDULE,
        help_text="Hours between two syncs; null: only by hand.",
    )


@require_action("source.read")
@extend_schema(tags=["imports"], parameters=[SOURCE_ID])
class DataSourceDetail(DetailEndpoint):
    """One data source."""

    queryset = with_newest_run()
    serializer_class = DataSourceSerializer

    def get_object(self) -> Any:
        """The row. Raises Http404."""
        return source_named(self.get_queryset(), self.kwargs["id"])

    @extend_schema(
        request=SourceChanges,
        responses=DataSourceSerializer,
        operation_id="data_sources_update",
        examples=[OpenApiExample("Every week", value={"schedule_hours": 168}, request_only=True)],
    )
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002  the name in the path
        """Enable or disable a source, or change how often it is synced by itself."""
        if not allows(request.user, "source.manage"):
            raise PermissionDenied("Only admins change how sources are synced.")
        body = SourceChanges(data=request.data)
        body.is_valid(raise_exception=True)
        change_source(self.get_object(), **body.validated_data)
        return Response(self.get_serializer(self.get_object()).data)


def source_named(sources: QuerySet[DataSource], name: str) -> DataSource:
    """The source with that number or slug. Raises Http404."""
    return get_object_or_404(sources, **({"pk": name} if name.isdigit() else {"slug": name}))


@require_action("source.read")
@extend_schema(tags=["imports"])
class ImportRunList(ListEndpoint):
    """Import runs and previews, the newest first."""

    queryset = ImportRun.objects.select_related("source", "requested_by", "decided_by").defer("kinds", "effects")
    serializer_class = ImportRunSerializer
    filterset_class = ImportRunFilter
    ordering_fields = {"id": "pk", "created_at": "created_at", "finished_at": "finished_at", "status": "status"}


@require_action("source.read")
@extend_schema(tags=["imports"])
class ImportRunDetail(DetailEndpoint):
    """One import run."""

    queryset = ImportRun.objects.select_related("source", "requested_by", "decided_by")
    serializer_class = ImportRunDetailSerializer
    lookup_field = "id"


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A rule",
            value={
                "published_id": "T0843",
                "source": "sigma",
                "object_type": "catalog.DetectionRule",
                "object_id": "34",
                "object_name": "Suspicious Download",
            },
        )
    ]
)
class UnresolvedReferenceSerializer(serializers.Serializer[Any]):
    """A technique id that the current release does not know, and the row that names it.

    `object_id` is what the row's own address ends in: an ATT&CK or D3FEND id, or a number.
    """

    published_id = serializers.CharField()
    source = serializers.CharField(source="source_slug")  # type: ignore[assignment]
    object_type = serializers.CharField()
    object_id = serializers.CharField()
    object_name = serializers.CharField()


@require_action("source.read")
@extend_schema(tags=["imports"])
class UnresolvedReferenceList(ListEndpoint):
    """Technique ids of current rows that mean nothing in the current release, by id."""

    serializer_class = UnresolvedReferenceSerializer
    filterset_class = UnresolvedReferenceFilter
    filter_backends = (FilterBackend,)

    def get_queryset(self) -> Any:
        """All of them."""
        return unresolved_references()
