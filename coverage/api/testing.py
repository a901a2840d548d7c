"""Tests in the API: list, create, look, change, and every move of their life."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.accounts.repeats import repeatable
from aegis.lib.api import Endpoint, ListEndpoint
from catalog.models import DetectionRule, Technique, TestTemplate
from coverage.api.base import IF_MATCH, WorkEndpoint, all_of, given, one_of, seen, visitor
from coverage.api.shapes import (
    DETAILED,
    LISTED,
    Move,
    NewTest,
    NotedMove,
    Rejection,
    TestChanges,
    TestDetailSerializer,
    TestSerializer,
)
from coverage.filters import TestFilter
from coverage.models import Campaign, Test
from coverage.services.creation import create_test
from coverage.services.decisions import archive_test, reject_test, submit_test, validate_test
from coverage.services.recording import Fact, edit_test, set_outcomes, set_rules
from coverage.services.writing import locked, permit


def shown(request: Request, pk: Any, code: int = status.HTTP_200_OK) -> Response:
    """The whole test as it stands, with its version as ETag. Raises Http404."""
    test = get_object_or_404(DETAILED, pk=pk)
    body = TestDetailSerializer(test, context={"request": request}).data
    return Response(body, status=code, headers={"ETag": f'"{test.version}"'})


@require_action("test.read")
@extend_schema(tags=["tests"])
class TestList(WorkEndpoint, ListEndpoint):
    """Tests that are not archived, the newest first, unless archived ones are asked for."""

    queryset = LISTED
    serializer_class = TestSerializer
    filterset_class = TestFilter
    ordering_fields: ClassVar[Mapping[str, str]] = {
        "id": "pk",
        "name": "name",
        "technique": "technique_id",
        "state": "state",
        "outcome": "outcome",
        "created_at": "created_at",
        "updated_at": "updated_at",
        "started_at": "started_at",
        "decided_at": "decided_at",
    }

    @extend_schema(request=NewTest, responses={201: TestDetailSerializer}, operation_id="tests_create")
    @repeatable("test.create")
    def post(self, request: Request) -> Response:
        """Create a draft, for a technique or from a template."""
        fields = given(NewTest, request)
        return shown(request, created(visitor(request), fields).pk, status.HTTP_201_CREATED)


@require_action("test.read")
@extend_schema(tags=["tests"])
class TestDetail(WorkEndpoint):
    """One test, archived or not."""

    @extend_schema(responses=TestDetailSerializer, operation_id="tests_retrieve")
    def get(self, request: Request, id: str) -> Response:  # noqa: A002  the name in the path
        """The test with both halves, evidence, and what you could do to it now."""
        return shown(request, id)

    @extend_schema(
        request=TestChanges, responses=TestDetailSerializer, parameters=[IF_MATCH], operation_id="tests_update"
    )
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        """Change a draft or a rejected test, which is a draft again then; 409 for any other."""
        test = get_object_or_404(Test, pk=id)
        permit(visitor(request), "test.edit")
        changes, version = seen(TestChanges, request)
        revised(visitor(request), test, changes, version)
        return shown(request, id)


class MoveEndpoint(WorkEndpoint):
    """A move of one test."""

    form: ClassVar[type[Move]] = Move
    service: ClassVar[Callable[..., Test]]

    def post(self, request: Request, id: str) -> Response:  # noqa: A002  the name in the path
        """The test after the move. Raises Http404, NotAllowed, Conflict, ValidationError."""
        test = get_object_or_404(Test, pk=id)
        body, version = seen(self.form, request)
        note = body.get("reason", body.get("note"))
        words = {} if note is None else {"note": note}
        type(self).service(by=visitor(request), test=test, version=version, **words)
        return shown(request, id)


def described(operation_id: str, form: type[Move], text: str) -> Callable[[type[Endpoint]], type[Endpoint]]:
    """Decorator: what the schema says of a move."""
    post = extend_schema(
        tags=["tests"],
        request=form,
        responses=TestDetailSerializer,
        parameters=[IF_MATCH],
        operation_id=operation_id,
        description=text,
    )
    return extend_schema_view(post=post)


@require_action("test.submit")
@described("tests_submit", Move, "Hand a draft in for a decision; 409 for any other test.")
class TestSubmit(MoveEndpoint):
    """Handing a test in."""

    service = staticmethod(submit_test)


@require_action("test.decide")
@described(
    "tests_validate",
    NotedMove,
    "Validate a test in review in which you had no hand. The status of its technique follows at once.",
)
class TestValidate(MoveEndpoint):
    """Validating a test."""

    form = NotedMove
    service = staticmethod(validate_test)


@require_action("test.decide")
@described("tests_reject", Rejection, "Reject a test in review in which you had no hand, with the reason.")
class TestReject(MoveEndpoint):
    """Rejecting a test."""

    form = Rejection
    service = staticmethod(reject_test)


@require_action("test.archive")
@described("tests_archive", NotedMove, "Put a test away: it stays readable, and counts for nothing any more.")
class TestArchive(MoveEndpoint):
    """Putting a test away."""

    form = NotedMove
    service = staticmethod(archive_test)


def created(by: User, fields: dict[str, Any]) -> Test:
    """A draft from the cleaned body. Raises NotAllowed, ValidationError where it names what is not there."""
    mitre_id = str(fields.pop("technique", "")).upper()
    technique = one_of(Technique.objects.all(), "technique", "mitre_id", mitre_id)
    template = one_of(TestTemplate.objects.all(), "template", "pk", fields.pop("template", None))
    campaign = one_of(Campaign.objects.all(), "campaign", "pk", fields.pop("campaign", None))
    return create_test(by=by, technique=technique, template=template, campaign=campaign, **fields)


@transaction.atomic
def revised(by: User, test: Test, changes: dict[str, Any], version: int | None) -> None:
    """Everything that the body changes, or nothing of it. Raises NotAllowed, Conflict, ValidationError."""
    test = locked(test, version)
    facts, rules = changes.pop("outcomes", None), changes.pop("detection_rules", None)
    if changes or (facts is None and rules is None):
        edit_test(by=by, test=test, changes=changes)
    if facts is not None:
        set_outcomes(by=by, test=test, facts=[Fact(**fact) for fact in facts])
    if rules is not None:
        set_rules(by=by, test=test, rules=all_of(DetectionRule.objects.all(), "detection_rules", "pk", rules))
