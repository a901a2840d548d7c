"""What runs changed and what they skipped, in the API."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers

from aegis.accounts.access import require_action
from aegis.lib.api import ListEndpoint
from imports.filters import ChangeFilter, ImportChangeFilter
from imports.models import ImportChange, ImportIssue, ImportRun


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A changed rule",
            value={
                "id": 1,
                "run": 90,
                "kind": "updated",
                "model": "catalog.detectionrule",
                "key": "sigma/0a1b2c3d",
                "name": "Suspicious PowerShell Parent",
                "path": "rules/windows/process_creation/example.yml",
                "changed": {"severity": ["medium", "high"]},
            },
        )
    ]
)
class ImportChangeSerializer(serializers.ModelSerializer[ImportChange]):
    """One row that a run touched; `changed` is {field: [before, after]}."""

    run = serializers.IntegerField(source="run_id", read_only=True)
    kind = serializers.ChoiceField(choices=ImportChange.Kind.choices, read_only=True)
    changed = serializers.DictField(read_only=True)

    class Meta:
        model = ImportChange
        fields = ("id", "run", "kind", "model", "key", "name", "path", "changed")
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A file that was skipped",
            value={
                "id": 5,
                "path": "rules/windows/example.yml",
                "line": 12,
                "message": "expected text, found a list at `title`",
            },
        )
    ]
)
class ImportIssueSerializer(serializers.ModelSerializer[ImportIssue]):
    """A file, or a part of one, that a run skipped, and why."""

    class Meta:
        model = ImportIssue
        fields = ("id", "path", "line", "message")
        read_only_fields = fields


@require_action("source.read")
@extend_schema(tags=["imports"])
class ImportChangeList(ListEndpoint):
    """What one run created, updated, withdrew and restored."""

    queryset = ImportChange.objects.all()
    serializer_class = ImportChangeSerializer
    filterset_class = ImportChangeFilter
    ordering_fields = {"id": "pk", "key": "key", "name": "name"}

    def get_queryset(self) -> Any:
        """The changes of the run in the path. Raises Http404 if there is no such run."""
        return get_object_or_404(ImportRun, pk=self.kwargs["id"]).changes.all()


@require_action("source.read")
@extend_schema(tags=["imports"])
class AppliedChangeList(ListEndpoint):
    """What all applied runs created, updated, withdrew and restored, the newest first: when did a row change?"""

    queryset = ImportChange.objects.applied().order_by("-pk")
    serializer_class = ImportChangeSerializer
    filterset_class = ChangeFilter
    ordering_fields = {"id": "pk", "key": "key", "name": "name"}


@require_action("source.read")
@extend_schema(tags=["imports"])
class ImportIssueList(ListEndpoint):
    """What one run skipped; of a run that is `not_modified`, what was skipped when its content was read."""

    queryset = ImportIssue.objects.all()
    serializer_class = ImportIssueSerializer

    def get_queryset(self) -> Any:
        """The issues of the run in the path. Raises Http404 if there is no such run."""
        return get_object_or_404(ImportRun, pk=self.kwargs["id"]).known_issues
