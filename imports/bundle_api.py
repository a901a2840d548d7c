"""Bundles in the API: one file in, verified, with a run for each of its sources; one file out."""

from typing import Any, BinaryIO, Final, cast

from django.conf import settings
from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.api import Conflicting, Endpoint, StrictSerializer
from aegis.lib.body_limit import require_short_body
from aegis.lib.listing import refuse_unknown_parameters
from imports.api import ImportRunSerializer
from imports.bundles.handing_out import hand_out
from imports.bundles.taking import Taken, take_bundle
from imports.fetchers import FetchError
from imports.queueing import SourceDisabled
from imports.services import AlreadyRunning
from imports.snapshots import NotKept
from imports.system_api import QUEUED_EXAMPLE


class NoRoom(APIException):
    """What was sent is right, and there is no room for it."""

    status_code = status.HTTP_507_INSUFFICIENT_STORAGE


class BundleForm(StrictSerializer):
    """A bundle, and what shall be done with it."""

    file = serializers.FileField(help_text="What `manage.py export_bundle` wrote.")
    dry_run = serializers.BooleanField(
        default=True, help_text="Preview each source, and write nothing to the catalogue."
    )
    allow_older = serializers.BooleanField(default=False, help_text="Take it although a newer one was taken in before.")


TAKEN_EXAMPLE: Final = {
    "name": "bundle aegis.bundle of 2026-01-02 03:00:00 UTC",
    "made_at": "2026-01-02T03:00:00Z",
    "made_by": "Aegis 1.0",
    "signed_by": "0123456789abcdef",
    "runs": [QUEUED_EXAMPLE | {"dry_run": True}],
    "left_out": [],
}


class TakenSerializer(serializers.Serializer[Any]):
    """A bundle that was taken in: when and by what it was made, the id of the key that signed it, the runs that read it, and
    the sources of an import that were left out, because they are disabled here.
    """

    name = serializers.CharField(source="bundle.name")
    made_at = serializers.DateTimeField(source="bundle.contents.made_at")
    made_by = serializers.CharField(source="bundle.contents.made_by")
    signed_by = serializers.CharField(source="bundle.signed_by")
    runs = ImportRunSerializer(many=True)
    left_out = serializers.ListField(child=serializers.CharField())


@require_action("source.sync")
class ImportBundle(Endpoint):
    """Taking in a bundle."""

    parser_classes = (MultiPartParser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a body that is too long before anything of it is read. Raises TooLarge."""
        require_short_body(request, settings.BUNDLE_MAX_BYTES)
        super().initial(request, *args, **kwargs)

    @extend_schema(
        tags=["system"],
        request={"multipart/form-data": BundleForm},
        responses={202: TakenSerializer},
        operation_id="system_import_bundle",
        examples=[
            OpenApiExample("A bundle of one source", value=TAKEN_EXAMPLE, response_only=True, status_codes=["202"]),
            OpenApiExample(
                "A preview of a bundle",
                value={"file": "(the bytes of aegis.bundle)", "dry_run": True},
                request_only=True,
                media_type="multipart/form-data",
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Verify a bundle and queue a preview of each source in it, or an import of each that is enabled. 400 with the reason
        for one that is not signed by a trusted key (AEGIS_BUNDLE_KEYS), was changed or cut short, or is older than the last
        one; 409 if a source is being imported already, or none of an import is enabled; 413 beyond BUNDLE_MAX_MB.
        """
        refuse_unknown_parameters(request, ["format"])
        form = BundleForm(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(TakenSerializer(taken(request, **form.validated_data)).data, status=status.HTTP_202_ACCEPTED)


def taken(request: Request, file: Any, *, dry_run: bool, allow_older: bool) -> Taken:
    """The bundle and its runs. Raises ValidationError, Conflicting, NoRoom."""
    asked = {"dry_run": dry_run, "allow_older": allow_older}
    try:
        return take_bundle(cast(BinaryIO, file.file), file.name, by=cast(User, request.user), trigger="api", **asked)
    except FetchError as error:
        raise ValidationError({"file": [str(error)]}) from error
    except (AlreadyRunning, SourceDisabled) as error:
        raise Conflicting(str(error)) from error
    except NotKept as error:
        raise NoRoom(str(error)) from error


@require_action("source.sync")
class ExportBundle(Endpoint):
    """Taking a bundle along."""

    reads_body = False

    @extend_schema(
        tags=["system"],
        request=None,
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        operation_id="system_export_bundle",
    )
    def post(self, request: Request) -> FileResponse:
        """One signed file with the snapshots of all that was imported here. 409 if there is none, or no key to sign it with
        (AEGIS_BUNDLE_SIGNING_KEY).
        """
        refuse_unknown_parameters(request, ["format"])
        try:
            file, name = hand_out(cast(User, request.user))
        except FetchError as error:
            raise Conflicting(str(error)) from error
        return FileResponse(file, as_attachment=True, filename=name, content_type="application/octet-stream")
