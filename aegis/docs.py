"""The API's own description: the OpenAPI schema, and a page to read and try it."""

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.exceptions import NotAuthenticated
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.middleware import login_redirect
from aegis.accounts.permissions import PolicyPermission
from aegis.lib.api import Endpoint

# Swagger UI's own stylesheet draws its arrows from data: images; it is given nothing else that other pages lack.
DOCS_POLICY = {"img-src": [SELF, "data:"]}


class BearerScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]  # the library registers subclasses untyped
    """How the schema calls our tokens. It registers itself."""

    target_class = "aegis.accounts.tokens.TokenAuthentication"
    name = "bearer"


@require_action("catalog.read")
class Schema(Endpoint, SpectacularAPIView):
    """The OpenAPI schema, as JSON, or as YAML to those who accept `application/vnd.oai.openapi`."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer]
    permission_classes = [PolicyPermission]


@require_action("catalog.read")
@method_decorator(csp_update(DOCS_POLICY), name="dispatch")
class Docs(Endpoint):
    """Swagger UI over the schema. Its scripts come from our own files; whoever is not logged in is asked to."""

    renderer_classes = [TemplateHTMLRenderer]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """The page."""
        return Response(template_name="api/docs.html")

    def handle_exception(self, exc: Exception) -> Any:
        """A page for people leads to the login page, as all others do."""
        return self.login() if isinstance(exc, NotAuthenticated) else super().handle_exception(exc)

    def login(self) -> HttpResponse:
        """The way to the login page, and back here afterwards."""
        return login_redirect(self.request._request)
