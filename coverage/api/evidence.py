"""Evidence in the API: uploads as multipart, metadata with a link that lives for a minute."""

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.lib.api import StrictSerializer
from aegis.lib.body_limit import least_upload, require_short_body
from coverage.api.base import WorkEndpoint, given, told, visitor
from coverage.api.shapes import EVIDENCE_EXAMPLE, EvidenceSerializer
from coverage.evidence.downloads import bucket_link, signs_links, ticket_path
from coverage.models import Evidence, Test
from coverage.services.evidence import attach_evidence, expect_evidence, note_download
from coverage.services.writing import permit

LINK_EXAMPLE: Final = {"download_url": "https://aegis.example.org/evidence/9f0c6a50-0000-4000-8000-000000000007/ticket"}
ANY_NUMBER: Final = {
    "oneOf": [
        {"$ref": "#/components/schemas/Evidence"},
        {"type": "array", "items": {"$ref": "#/components/schemas/Evidence"}},
    ]
}


UPLOAD_EXAMPLE = {"file": ["console.png"], "side": "blue", "caption": "The alert"}


class UploadForm(StrictSerializer):
    """One file or several for one side of a test."""

    file = serializers.ListField(child=serializers.FileField(allow_empty_file=True), min_length=1)
    side = serializers.ChoiceField(
        choices=Evidence.Side.choices, required=False, help_text="Blue for the blue roles, else red, unless you say."
    )
    caption = serializers.CharField(required=False, allow_blank=True, max_length=255)
    sha256 = serializers.RegexField(
        "^[0-9A-Fa-f]{64}$", required=False, help_text="Of a single file, in hex: 409 if what arrives has another."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for one hash with several files."""
        if "sha256" in attrs and len(attrs["file"]) > 1:
            raise ValidationError({"sha256": "One hash is for one file: send files with hashes one by one."})
        return attrs


@extend_schema_serializer(examples=[OpenApiExample("A file", value=EVIDENCE_EXAMPLE | LINK_EXAMPLE)])
class EvidenceLinkSerializer(EvidenceSerializer):
    """A file as evidence, and a link to it that is yours and lives for 60 seconds."""

    download_url = serializers.SerializerMethodField()

    class Meta(EvidenceSerializer.Meta):
        fields = (*EvidenceSerializer.Meta.fields, "download_url")
        read_only_fields = fields

    def get_download_url(self, evidence: Evidence) -> str:
        """A link into the bucket where there is one, else back to Aegis with a ticket. Raises Unavailable."""
        request: Request = self.context["request"]
        if signs_links():
            return bucket_link(evidence)
        return str(request.build_absolute_uri(ticket_path(evidence, visitor(request))))


@require_action("evidence.add")
class EvidenceUpload(WorkEndpoint):
    """Files that somebody gives to a test."""

    parser_classes = (MultiPartParser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a body that is too long before anything of it is read. Raises TooLarge."""
        require_short_body(request, settings.EVIDENCE_MAX_BYTES)
        super().initial(request, *args, **kwargs)

    @extend_schema(
        tags=["evidence"],
        request={"multipart/form-data": UploadForm},
        responses={201: ANY_NUMBER},
        operation_id="tests_evidence_create",
        examples=[
            OpenApiExample("One file", value=EVIDENCE_EXAMPLE, response_only=True, status_codes=["201"]),
            OpenApiExample(
                "A file of the blue side", value=UPLOAD_EXAMPLE, request_only=True, media_type="multipart/form-data"
            ),
        ],
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002  the name in the path
        """Attach one file or several to a draft or rejected test. Answers with one row, or with a list for several files."""
        test = get_object_or_404(Test.objects.with_involvement(), pk=id)
        permit(visitor(request), "evidence.add", test)
        expect_evidence(by=visitor(request), test=test, size=least_upload(request))
        rows = kept(visitor(request), test, given(UploadForm, request))
        body = EvidenceSerializer(rows, many=True).data
        return Response(body if len(rows) > 1 else body[0], status=status.HTTP_201_CREATED)


@require_action("test.read")
class EvidenceDetail(WorkEndpoint):
    """One file of evidence."""

    @extend_schema(
        tags=["evidence"],
        parameters=[OpenApiParameter("id", {"type": "string", "format": "uuid"}, "path")],
        responses=EvidenceLinkSerializer,
        operation_id="evidence_retrieve",
    )
    def get(self, request: Request, id: str) -> Response:  # noqa: A002
        """What is known of the file, its SHA-256, and a link to it. A link into a bucket counts as a download."""
        evidence = get_object_or_404(Evidence.objects.select_related("uploaded_by"), pk=id)
        body = EvidenceLinkSerializer(evidence, context={"request": request}).data
        if signs_links():
            note_download(by=visitor(request), evidence=evidence)
        return Response(body)


def usual_side(user: User) -> str:
    """The side for which somebody gives evidence unless they say: that of their role, red for admins."""
    return Evidence.Side.BLUE if user.role in {Role.BLUE_TECH, Role.BLUE_LEAD} else Evidence.Side.RED


def kept(by: User, test: Test, form: Mapping[str, Any]) -> list[Evidence]:
    """The rows of all files of the form. A file that is refused ends it; the refusal names those that were kept before."""
    rows: list[Evidence] = []
    for file in form["file"]:
        try:
            rows.append(attached(by, test, form, file))
        except Exception as error:
            raise after_some(told(error), rows) from error
    return rows


def attached(by: User, test: Test, form: Mapping[str, Any], file: "UploadedFile[Any]") -> Evidence:
    """The row of one file. Raises what `attach_evidence` raises."""
    return attach_evidence(
        by=by,
        test=test,
        side=form.get("side") or usual_side(by),
        file=file,
        name=file.name or "",
        caption=form.get("caption", ""),
        content_type=file.content_type or "",
        sha256=form.get("sha256", ""),
    )


def after_some(error: Exception, rows: list[Evidence]) -> Exception:
    """The refusal, which says too which files were kept before it."""
    if rows and isinstance(error, APIException) and not isinstance(error, ValidationError):
        names = ", ".join(row.original_name for row in rows)
        error.detail = ErrorDetail(f"{error.detail} Kept before it: {names}.")
    return error
