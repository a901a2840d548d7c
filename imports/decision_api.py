"""Applying, discarding and undoing runs in the API."""

from collections.abc import Callable
from typing import Any, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.api import Conflicting, Endpoint
from aegis.lib.listing import refuse_unknown_parameters
from imports.api import RUN_EXAMPLE, ImportRunSerializer
from imports.decisions import discard, request_again, request_apply, request_undo
from imports.models import ImportRun
from imports.services import AlreadyRunning
from imports.standing import NotPossible
from imports.system_api import QUEUED_EXAMPLE, STARTED, WAIT, answered, is_asked


class Decision(Endpoint):
    """A decision about a run."""

    reads_body = False

    def queued(self, request: Request, pk: str, ask: Callable[..., ImportRun]) -> Response:
        """Queue what was decided: 202, or with `wait` 200 once it has ended. Raises Http404, Conflicting, ValidationError."""
        refuse_unknown_parameters(request, ["wait", "format"])
        wait = is_asked(request, "wait")
        try:
            run = ask(_run(pk), by=cast(User, request.user), trigger="api")
        except (NotPossible, AlreadyRunning) as error:
            raise Conflicting(str(error)) from error
        return answered(run, wait=wait)


def _run(pk: str) -> ImportRun:
    return get_object_or_404(ImportRun.objects.select_related("source", "requested_by"), pk=pk)


def _queued_example(name: str, **fields: Any) -> OpenApiExample:
    return OpenApiExample(name, value=QUEUED_EXAMPLE | fields, response_only=True, status_codes=["202"])


@require_action("source.sync")
class ImportRunApply(Decision):
    """Applying what a preview or a held run showed."""

    @extend_schema(
        tags=["imports"],
        parameters=[WAIT],
        request=None,
        responses=STARTED,
        operation_id="import_runs_apply",
        examples=[_queued_example("A run that applies run 89", applies=89)],
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002  the name in the path
        """Apply exactly what the run showed, as a new run. 409 if the catalogue or the importer's code has moved since, if it
        was decided already, or if the source is being imported. Where its snapshot is no longer kept, upstream is asked again,
        and the new run fails if that has moved on.
        """
        return self.queued(request, id, request_apply)


@require_action("source.sync")
class ImportRunAgain(Decision):
    """Previewing once more what a bundle brought."""

    @extend_schema(
        tags=["imports"],
        parameters=[WAIT],
        request=None,
        responses=STARTED,
        operation_id="import_runs_preview",
        examples=[_queued_example("A preview", dry_run=True)],
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Preview anew what a preview or a held run read from a bundle, where the catalogue has moved since. 409 for any other
        run, or if the snapshot is no longer kept.
        """
        return self.queued(request, id, request_again)


@require_action("source.sync")
class ImportRunUndo(Decision):
    """Undoing a run."""

    @extend_schema(
        tags=["imports"],
        parameters=[WAIT],
        request=None,
        responses=STARTED,
        operation_id="import_runs_undo",
        examples=[_queued_example("A run that undoes run 89", undoes=89)],
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Bring back what stood before the last applied run of a source, as a new run. 409 for any other run, or if the earlier
        snapshot is no longer kept. What was undone is held when the schedule meets it again.
        """
        return self.queued(request, id, request_undo)


@require_action("source.sync")
class ImportRunDiscard(Endpoint):
    """Discarding what a preview or a held run showed."""

    reads_body = False

    @extend_schema(
        tags=["imports"],
        request=None,
        responses=ImportRunSerializer,
        operation_id="import_runs_discard",
        examples=[
            OpenApiExample(
                "Discarded", value=RUN_EXAMPLE | {"status": "held", "decision": "discarded"}, response_only=True
            )
        ],
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Do not apply what the run showed. 409 if it waits for no decision."""
        refuse_unknown_parameters(request, ["format"])
        try:
            run = discard(_run(id), by=cast(User, request.user))
        except NotPossible as error:
            raise Conflicting(str(error)) from error
        return Response(ImportRunSerializer(run).data)
