"""Starting, waiting for and cancelling imports in the API, and whether what runs them is there."""

from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.shortcuts import get_object_or_404
from django_celery_beat.models import PeriodicTask
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.api import Conflicting, Endpoint
from aegis.lib.listing import refuse_unknown_parameters
from imports.api import RUN_EXAMPLE, SOURCE_ID, ImportRunSerializer, source_named
from imports.life import cancel_run
from imports.models import DataSource, ImportRun
from imports.queueing import SourceDisabled, machinery, queue_import, wait_for
from imports.schedule import LONG_AGO, next_run_at
from imports.services import AlreadyRunning, UnknownSource

DRY_RUN = OpenApiParameter("dry_run", bool, description="Show what would change, and write nothing to the catalogue.")
WAIT = OpenApiParameter("wait", bool, description="Answer when the run has ended, or at once if no worker is there.")
STARTED = {
    status.HTTP_202_ACCEPTED: ImportRunSerializer,
    status.HTTP_200_OK: ImportRunSerializer,
}
QUEUED_EXAMPLE = RUN_EXAMPLE | {
    "status": "queued",
    "trigger": "api",
    "requested_by": "maria",
    "started_at": None,
    "finished_at": None,
    "seconds": None,
    "version": "",
    "origin": "",
    "statistics": dict.fromkeys(cast(dict[str, int], RUN_EXAMPLE["statistics"]), 0),
}


class Sync(Endpoint):
    """Asking for an import: 202 with the queued run, or with `wait` 200 with the run once it has ended."""

    reads_body = False

    def started(self, request: Request, slug: str) -> Response:
        """Queue an import of the source. Raises NotFound, Conflicting, ValidationError."""
        refuse_unknown_parameters(request, ["dry_run", "wait", "format"])
        dry_run, wait = is_asked(request, "dry_run"), is_asked(request, "wait")
        try:
            run = queue_import(slug, by=cast(User, request.user), trigger="api", dry_run=dry_run)
        except UnknownSource as error:
            raise NotFound(str(error)) from error
        except (AlreadyRunning, SourceDisabled) as error:
            raise Conflicting(str(error)) from error
        return answered(run, wait=wait)


def answered(run: ImportRun, *, wait: bool) -> Response:
    """202 with a queued run, or with `wait` 200 with the run once it has ended."""
    if wait:
        run = wait_for(run, timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT))
    has_ended = run.status not in ImportRun.ACTIVE
    return Response(ImportRunSerializer(run).data, status=status.HTTP_200_OK if has_ended else status.HTTP_202_ACCEPTED)


@require_action("source.sync")
class DataSourceSync(Sync):
    """Importing one source."""

    @extend_schema(
        tags=["imports"],
        parameters=[SOURCE_ID, DRY_RUN, WAIT],
        request=None,
        responses=STARTED,
        operation_id="data_sources_sync",
        examples=[OpenApiExample("A run that waits", value=QUEUED_EXAMPLE, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002  the name in the path
        """Import the source now, or preview it. 409 if it is being imported already, or is disabled."""
        return self.started(request, source_named(DataSource.objects.all(), id).slug)


@require_action("source.sync")
class SystemSync(Sync):
    """Importing the source that the address names."""

    slug = ""

    @extend_schema(tags=["system"], parameters=[DRY_RUN, WAIT], request=None, responses=STARTED)
    def post(self, request: Request) -> Response:
        """Import the source now, or preview it. 409 if it is being imported already, or is disabled."""
        return self.started(request, self.slug)


@require_action("source.sync")
class ImportRunCancel(Endpoint):
    """Ending a run before its time."""

    reads_body = False

    @extend_schema(
        tags=["imports"],
        request=None,
        responses={status.HTTP_202_ACCEPTED: ImportRunSerializer},
        operation_id="import_runs_cancel",
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Ask a run to end: it stores nothing. 409 if it has ended."""
        run = get_object_or_404(ImportRun.objects.select_related("source", "requested_by"), pk=id)
        if not cancel_run(run):
            raise Conflicting(f"Run {run.pk} has ended: there is nothing to cancel.")
        run.refresh_from_db()
        return Response(ImportRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class PartSerializer(serializers.Serializer[Any]):
    """Whether a part of the machinery was heard of in the last minute, and when it last was."""

    alive = serializers.BooleanField()
    last_heard_at = serializers.DateTimeField(allow_null=True)


class JobSerializer(serializers.Serializer[Any]):
    """Something that beat starts: `schedule` in words, `next_run_at` null if it is switched off."""

    name = serializers.CharField()
    task = serializers.CharField()
    enabled = serializers.BooleanField()
    schedule = serializers.CharField()
    last_run_at = serializers.DateTimeField(allow_null=True)
    next_run_at = serializers.DateTimeField(allow_null=True)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "All is well",
            value={
                "beat": {"alive": True, "last_heard_at": "2026-01-02T03:04:05Z"},
                "worker": {"alive": True, "last_heard_at": "2026-01-02T03:04:05Z"},
                "waiting_runs": 0,
                "jobs": [
                    {
                        "name": "Sync sigma",
                        "task": "imports.tasks.sync_on_schedule",
                        "enabled": True,
                        "schedule": "every 30 days",
                        "last_run_at": "2026-01-02T03:04:05Z",
                        "next_run_at": "2026-02-01T03:04:05Z",
                    }
                ],
            },
        )
    ]
)
class SchedulerStatusSerializer(serializers.Serializer[Any]):
    """Whether sources sync by themselves. `waiting_runs` were asked for, and no worker has begun them."""

    beat = PartSerializer()
    worker = PartSerializer()
    waiting_runs = serializers.IntegerField()
    jobs = JobSerializer(many=True)


@require_action("source.manage")
class SchedulerStatus(Endpoint):
    """The schedule, and whether somebody keeps it."""

    @extend_schema(tags=["system"], responses=SchedulerStatusSerializer, operation_id="system_scheduler_status")
    def get(self, request: Request) -> Response:
        """Whether beat and a worker are there, and all jobs with their last and next run."""
        refuse_unknown_parameters(request, ["format"])
        found = machinery()
        told = {
            "beat": {"alive": found.has_beat, "last_heard_at": found.beat_at},
            "worker": {"alive": found.has_worker, "last_heard_at": found.worker_at},
            "waiting_runs": found.waiting,
            "jobs": [job(task) for task in jobs()],
        }
        return Response(SchedulerStatusSerializer(told).data)


def jobs() -> Any:
    """All that beat starts, by name."""
    return PeriodicTask.objects.select_related("interval", "crontab", "solar", "clocked").order_by("name")


def job(task: PeriodicTask) -> dict[str, Any]:
    """One job as the API tells it."""
    return {
        "name": task.name,
        "task": task.task,
        "enabled": task.enabled,
        "schedule": str(task.scheduler),
        "last_run_at": None if task.last_run_at == LONG_AGO else task.last_run_at,
        "next_run_at": next_run_at(task),
    }


def is_asked(request: Request, name: str) -> bool:
    """A parameter that says true or false. Raises ValidationError for anything else."""
    answer = request.query_params.get(name, "false").lower()
    if answer not in {"true", "false"}:
        raise ValidationError({name: ["Say true or false."]})
    return answer == "true"
