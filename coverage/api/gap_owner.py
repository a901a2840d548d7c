"""Who owns the gap of a technique, in the API."""

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import require_action
from aegis.accounts.models import User
from aegis.lib.api import StrictSerializer
from coverage.api.base import given, one_of, visitor
from coverage.api.techniques import MITRE_ID, TechniqueDetail, TechniqueDetailSerializer
from coverage.models.gap import LONGEST_NOTE
from coverage.services.gaps import assign_gap
from coverage.testing.texts import plausible


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Give it to maria",
            value={"owner": "maria", "due_on": "2026-03-31", "note": "Starts with the servers."},
            request_only=True,
        ),
        OpenApiExample("Take it back", value={"owner": None}, request_only=True),
    ]
)
class OwnerChanges(StrictSerializer):
    """Who has the gap: a user name, or null for nobody. What is left out stays as it is, unless the owner changes."""

    owner = serializers.CharField(required=False, allow_null=True, max_length=150)
    due_on = serializers.DateField(required=False, allow_null=True, validators=[plausible], help_text="Today or later.")
    note = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_NOTE, help_text="One line.")


@require_action("gap.assign")
class TechniqueOwner(TechniqueDetail):
    """The owner of a technique's gap."""

    http_method_names = ("patch", "options")

    @extend_schema(
        tags=["techniques"],
        parameters=[MITRE_ID],
        request=OwnerChanges,
        responses=TechniqueDetailSerializer,
        operation_id="techniques_owner",
    )
    def patch(self, request: Request, mitre_id: str) -> Response:
        """Give the gap of a technique to somebody, or take it back. For leads and admins.

        The owner has to be an active tech or lead. 409 if the technique is proven or not active: there is no gap to own.
        """
        technique, changes = self.get_object(), given(OwnerChanges, request)
        if "owner" in changes:
            changes["owner"] = one_of(User.objects.all(), "owner", "username", changes["owner"])
        assign_gap(by=visitor(request), technique=technique, changes=changes)
        return self.shown()
