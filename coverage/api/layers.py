"""Layers of ATT&CK Navigator in the API: coverage as a layer, and the layers that people uploaded."""

from typing import Any, ClassVar, Final

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_serializer,
)
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.lib.api import ListEndpoint, StrictSerializer
from aegis.lib.body_limit import require_short_body
from aegis.lib.listing import refuse_unknown_parameters
from catalog.api.base import REFERENCE_EXAMPLE
from coverage.api.base import WorkEndpoint, given, visitor
from coverage.layers.export import layer_of
from coverage.layers.listing import listed
from coverage.layers.writing import written
from coverage.matrix.assembly import Assembly
from coverage.matrix.facts import MatrixFacts
from coverage.matrix.query import CHOICES, KINDS, TEXTS, MatrixQuery
from coverage.models import Layer
from coverage.services.layers import delete_layer, upload_layer
from coverage.services.writing import permit

PARAMETERS: Final = (*TEXTS, *CHOICES, *KINDS, "technique", "open", "closed", "ids", "view", "format")
EXAMPLE: Final = {
    "id": 3,
    "name": "What Example Bear does",
    "description": "From the report of May.",
    "purpose": "profile",
    "is_shared": True,
    "layer_version": "4.5",
    "attack_version": "17",
    "sha256": "0" * 64,
    "uploaded_by": "maria",
    "uploaded_at": "2026-01-02T03:04:05Z",
    "named": 12,
    "marked": 11,
    "unresolved": 1,
}
LAYER_EXAMPLE: Final = {
    "name": "Aegis coverage",
    "versions": {"attack": "18", "navigator": "5.1.0", "layer": "4.5"},
    "domain": "enterprise-attack",
    "techniques": [
        {"techniqueID": "T1059.001", "tactic": "execution", "enabled": True, "score": 75, "color": "#dba127"}
    ],
}


@extend_schema_serializer(examples=[OpenApiExample("A layer", value=EXAMPLE)])
class LayerSerializer(serializers.ModelSerializer[Layer]):
    """An uploaded layer: of the techniques that it `named`, it `marked` those, and `unresolved` ids mean nothing here."""

    uploaded_by = serializers.CharField(source="uploader", read_only=True)
    named = serializers.IntegerField(read_only=True)
    marked = serializers.IntegerField(read_only=True)
    unresolved = serializers.IntegerField(read_only=True)

    class Meta:
        model = Layer
        fields: tuple[str, ...] = tuple(EXAMPLE)
        read_only_fields: tuple[str, ...] = fields


class LayerTechniqueSerializer(serializers.Serializer[Any]):
    """What a layer says of one technique: by the id that it used, and what that means in the current release."""

    published_id = serializers.CharField()
    mitre_id = serializers.CharField(source="technique_id", allow_null=True)
    resolution = serializers.CharField()
    score = serializers.FloatField(allow_null=True)
    comment = serializers.CharField()
    marks = serializers.BooleanField()


MARK_EXAMPLE = REFERENCE_EXAMPLE | {"score": 1, "comment": "Seen in May.", "marks": True}


@extend_schema_serializer(examples=[OpenApiExample("A layer, whole", value=EXAMPLE | {"techniques": [MARK_EXAMPLE]})])
class LayerDetailSerializer(LayerSerializer):
    """An uploaded layer with its techniques."""

    techniques = LayerTechniqueSerializer(many=True, read_only=True)

    class Meta(LayerSerializer.Meta):
        fields = (*LayerSerializer.Meta.fields, "techniques")
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A layer for all",
            value={"file": "layer.json", "name": "Seen last quarter", "purpose": "overlay", "is_shared": True},
            request_only=True,
            media_type="multipart/form-data",
        )
    ]
)
class LayerUpload(StrictSerializer):
    """A layer to keep. Its own name and description stand where you give none."""

    file = serializers.FileField(allow_empty_file=True, help_text="JSON of Navigator 4.0 to 4.5, or of DeTT&CT.")
    name = serializers.CharField(required=False, allow_blank=True, max_length=255)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000)
    purpose = serializers.ChoiceField(choices=Layer.Purpose.choices, required=False)
    is_shared = serializers.BooleanField(required=False, help_text="Whether everybody sees it.")


@require_action("coverage.read")
class CoverageLayer(WorkEndpoint):
    """Coverage as a layer."""

    @extend_schema(
        tags=["layers"],
        operation_id="layers_coverage",
        parameters=[
            OpenApiParameter("show", str, enum=["claimed"], description="`claimed` scores rules instead of tests."),
            *(
                OpenApiParameter(name, str, description="As on the matrix page.")
                for name in (*TEXTS, *CHOICES)
                if name != "show"
            ),
            *(OpenApiParameter(name, str, many=True, description="Overlays, as on the matrix page.") for name in KINDS),
        ],
        responses={200: OpenApiTypes.OBJECT},
        examples=[OpenApiExample("A layer, cut short", value=LAYER_EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        """A layer of ATT&CK Navigator (format 4.5) of any view of the matrix, by the parameters of its page.

        Every technique is there; those that the filters leave out are disabled.
        """
        refuse_unknown_parameters(request, list(PARAMETERS))
        query = MatrixQuery.of(request.query_params)
        layer = layer_of(Assembly(MatrixFacts.now(query, visitor(request)), query))
        return HttpResponse(written(layer), content_type="application/json")


@require_action("layer.read")
@extend_schema(tags=["layers"])
class LayerList(WorkEndpoint, ListEndpoint):
    """Layers that you uploaded, and those that are shared, the newest first."""

    queryset = Layer.objects.all()
    serializer_class = LayerSerializer
    parser_classes = (MultiPartParser,)
    ordering_fields: ClassVar[dict[str, str]] = {"id": "pk", "name": "name", "uploaded_at": "uploaded_at"}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a body that is too long before anything of it is read. Raises TooLarge."""
        require_short_body(request, settings.LAYER_MAX_BYTES)
        super().initial(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Layer, Layer]:
        """What the visitor may see."""
        return listed(seen_by(self.request))

    @extend_schema(
        request={"multipart/form-data": LayerUpload}, responses={201: LayerSerializer}, operation_id="layers_create"
    )
    def post(self, request: Request) -> Response:
        """Upload a layer of Navigator 4.0 to 4.5 of the enterprise domain; another one is refused with the reason."""
        permit(visitor(request), "layer.upload")
        layer = upload_layer(by=visitor(request), **given(LayerUpload, request))
        return Response(LayerSerializer(listed(seen_by(request)).get(pk=layer.pk)).data, status=status.HTTP_201_CREATED)


@require_action("layer.read")
@extend_schema(tags=["layers"])
class LayerDetail(WorkEndpoint):
    """One uploaded layer."""

    @extend_schema(responses=LayerDetailSerializer, operation_id="layers_retrieve")
    def get(self, request: Request, id: str) -> Response:  # noqa: A002
        """The layer with its techniques."""
        layers = listed(seen_by(request)).prefetch_related("techniques")
        return Response(LayerDetailSerializer(get_object_or_404(layers, pk=id)).data)

    @extend_schema(responses={204: None}, operation_id="layers_delete")
    def delete(self, request: Request, id: str) -> Response:  # noqa: A002
        """Delete a layer: whoever uploaded it may, and admins."""
        delete_layer(by=visitor(request), layer=get_object_or_404(seen_by(request), pk=id))
        return Response(status=status.HTTP_204_NO_CONTENT)


def seen_by(request: Request) -> QuerySet[Layer, Layer]:
    """The layers that the visitor may see."""
    return Layer.objects.visible_to(visitor(request))
