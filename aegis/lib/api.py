"""What every view of the API shares: who gets which answer, and bodies that are read strictly."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.renderers import BaseRenderer, BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

ID = r"(?P<id>[0-9]{1,18})"
"""A row's number in a path: no more digits than a database can look up."""


class Endpoint(APIView):
    """A view of the API. It says whom it is for with `require_action` or `public`, or it is closed."""

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
        if isinstance(data, Mapping):
            writable = [name for name, field in self.fields.items() if not field.read_only]
            unknown = {name: ["There is no such field to write."] for name in data if name not in writable}
            if unknown:
                raise ValidationError(unknown)
        return super().to_internal_value(data)
