"""Users in the API, for admins: list, create, change role and access, and links to set a password."""

from typing import Any, ClassVar, Final, cast

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts import services
from aegis.accounts.access import require_action
from aegis.accounts.filters import UserFilter
from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.lib.api import Conflicting, Endpoint, ListEndpoint, StrictSerializer

EXAMPLE: Final = {
    "id": 7,
    "username": "maria",
    "email": "maria@example.org",
    "first_name": "",
    "last_name": "",
    "role": "red_tech",
    "is_active": True,
    "has_password": True,
    "last_login": "2026-01-02T03:04:05Z",
    "date_joined": "2026-01-02T03:04:05Z",
}
LINK_EXAMPLE: Final = {"url": "https://aegis.example.org/accounts/link/kZ3v", "expires_at": "2026-01-02T04:04:05Z"}


@extend_schema_serializer(examples=[OpenApiExample("A user", value=EXAMPLE)])
class UserSerializer(serializers.ModelSerializer[User]):
    """A user, as admins see them."""

    role = serializers.ChoiceField(choices=Role.choices, read_only=True)
    has_password = serializers.BooleanField(source="has_usable_password", read_only=True)

    class Meta:
        model = User
        fields: tuple[str, ...] = (
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "role",
            "is_active",
            "has_password",
            "last_login",
            "date_joined",
        )
        read_only_fields = fields


@extend_schema_serializer(examples=[OpenApiExample("A link", value=LINK_EXAMPLE)])
class LinkSerializer(serializers.Serializer[Any]):
    """A link by which its holder sets the user's password once. It is shown this once, and kept nowhere."""

    url = serializers.URLField()
    expires_at = serializers.DateTimeField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A new user", value=EXAMPLE | {"has_password": False, "last_login": None, "one_time_link": LINK_EXAMPLE}
        )
    ]
)
class CreatedUserSerializer(UserSerializer):
    """A new user, and the link for them."""

    one_time_link = LinkSerializer(read_only=True)

    class Meta(UserSerializer.Meta):
        fields = (*UserSerializer.Meta.fields, "one_time_link")
        read_only_fields = fields


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A red tech",
            value={"username": "maria", "email": "maria@example.org", "role": "red_tech"},
            request_only=True,
        )
    ]
)
class NewUserSerializer(StrictSerializer):
    """Who the user is, and what they may do. A password is nobody's to choose but theirs."""

    username = serializers.CharField(max_length=150)
    email = serializers.EmailField(max_length=254, required=False, default="", allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.VIEWER)


@extend_schema_serializer(examples=[OpenApiExample("Switch off", value={"is_active": False}, request_only=True)])
class AccessSerializer(StrictSerializer):
    """What of a user's access changes."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)


@require_action("user.manage")
@extend_schema(tags=["users"])
class UserList(ListEndpoint):
    """All users, by name."""

    queryset = User.objects.order_by("username")
    serializer_class = UserSerializer
    filterset_class = UserFilter
    ordering_fields: ClassVar[dict[str, str]] = {
        name: name for name in ("username", "role", "is_active", "last_login", "date_joined")
    }

    @extend_schema(request=NewUserSerializer, responses={201: CreatedUserSerializer}, operation_id="users_create")
    def post(self, request: Request) -> Response:
        """Create a user. The answer holds a link, good once and for an hour, by which they set their password."""
        form = NewUserSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        admin = cast(User, request.user)
        user = services.create_user(**form.validated_data, by=admin)
        answer = UserSerializer(user).data | {"one_time_link": new_link(request, user)}
        return Response(answer, status=status.HTTP_201_CREATED)


@require_action("user.manage")
class UserDetail(Endpoint):
    """One user."""

    @extend_schema(responses=UserSerializer, operation_id="users_retrieve", tags=["users"])
    def get(self, request: Request, id: str) -> Response:  # noqa: A002  the name in the path
        """Look at a user."""
        return Response(UserSerializer(get_object_or_404(User, pk=id)).data)

    @extend_schema(request=AccessSerializer, responses=UserSerializer, operation_id="users_update", tags=["users"])
    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        """Change role or access. Whatever changes ends the user's sessions and tokens; the last active admin stays (409)."""
        user = get_object_or_404(User, pk=id)
        form = AccessSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            changed = services.change_access(user=user, **form.validated_data, by=cast(User, request.user))
        except services.LastAdminError as error:
            raise Conflicting(str(error)) from error
        return Response(UserSerializer(changed).data)


@require_action("user.manage")
class UserLink(Endpoint):
    """Links by which a user sets their password."""

    reads_body = False

    @extend_schema(request=None, responses={201: LinkSerializer}, operation_id="users_link", tags=["users"])
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        """Issue a link, good once and for an hour; older ones close."""
        user = get_object_or_404(User, pk=id)
        if not user.is_active:
            raise Conflicting("This account is switched off: switch it on first.")
        return Response(new_link(request, user), status=status.HTTP_201_CREATED)


def new_link(request: Request, user: User) -> dict[str, str]:
    """`url` and `expires_at` of a new link."""
    token = services.issue_link(user=user, by=cast(User, request.user))
    return {
        "url": request.build_absolute_uri(reverse("accounts:link", args=[token])),
        "expires_at": (timezone.now() + services.LINK_LIFE).isoformat(),
    }
