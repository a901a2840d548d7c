"""What every view of the API shares: who gets which answer, bodies that are read strictly, and users by name."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, cast

from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.serializers import CharField, Serializer
from rest_framework.views import APIView

from aegis.lib.strict import fault

WRITES: Final = frozenset({"POST", "PUT", "PATCH"})
ID = r"(?P<id>[0-9]{1,18})"
"""A row's number in a path: no more digits than a database can look up."""


class Conflicting(APIException):
    """The request is sound, and does not fit how things stand."""

    status_code = status.HTTP_409_CONFLICT


class Endpoint(APIView):
    """A view of the API. It says whom it is for with `require_action` or `public`, or it is closed.

    `reads_body` is False where a POST, PUT or PATCH takes no body; a DELETE never takes one.
    """

    reads_body: ClassVar[bool] = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse who may not, and then what is sent to where nothing is read. Raises ValidationError by field, ParseError."""
        super().initial(request, *args, **kwargs)
        reads = request.method in WRITES and self.reads_body
        if request.method in {*WRITES, "DELETE"} and hasattr(self, request.method.lower()) and not reads:
            StrictSerializer(data=request.data).is_valid(raise_exception=True)

    def get_renderers(self) -> list[BaseRenderer]:
        """JSON for all; the browsable API only for people who are logged in to the site."""
        renderers = super().get_renderers()
        visitor = getattr(self.request._request, "user", AnonymousUser())
        if visitor.is_authenticated:
            return renderers
        return [renderer for renderer in renderers if not isinstance(renderer, BrowsableAPIRenderer)]

    def get_authenticate_header(self, request: Request) -> str:
        """Who is not known is told how to make themselves known, on every view."""
        return 'Bearer realm="api"'


class ListEndpoint(Endpoint, ListAPIView[Any]):
    """A list in pages. `ordering_fields` maps names to columns."""

    ordering_fields: ClassVar[Mapping[str, str]] = {}


class DetailEndpoint(Endpoint, RetrieveAPIView[Any]):
    """One row, by the name in the path that `lookup_field` says."""

    filter_backends = ()


class StrictSerializer(Serializer[Any]):
    """Reads a body whose fields are all known. An unknown or a read-only field is refused, never ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """The cleaned fields. Raises ValidationError by field."""
        faults = self._faults(data) if isinstance(data, Mapping) else {}
        try:
            cleaned = super().to_internal_value(data)
        except ValidationError as error:
            raise ValidationError({**cast(dict[str, Any], error.detail), **faults}) from error
        if faults:
            raise ValidationError(faults)
        return cleaned

    def _faults(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        """What is wrong with single fields before their own rules are asked, by name."""
        is_form = isinstance(data, QueryDict)
        found = {name: self._fault(name, data[name], is_form=is_form) for name in data}
        return {name: [message] for name, message in found.items() if message}

    def _fault(self, name: str, value: Any, *, is_form: bool) -> str:
        field = self.fields.get(name)
        if field is None or field.read_only:
            return "There is no such field to write."
        return fault(field, value, is_form=is_form)


def username(source: str) -> CharField:
    """A field: a user by name, None where there is none."""
    return CharField(source=f"{source}.username", default=None, allow_null=True, read_only=True)
