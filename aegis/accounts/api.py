"""Logging in to the API, renewing tokens, logging out, and who am I."""

from typing import Any, cast

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from aegis.accounts.access import public, require_action
from aegis.accounts.models import ApiSession, User
from aegis.accounts.policy import Role
from aegis.accounts.tokens import SESSION_CLAIM, read_refresh_token, renew, session_of, start_session
from aegis.lib.api import Endpoint, StrictSerializer
from aegis.lib.parsers import Form, StrictJSON

NO_MATCH = "That user name and password do not match. Capitals count in both."
LONGEST_TOKEN = 4096
TOKEN_EXAMPLE = "eyJhbGciOiJIUzI1NiJ9.eyJzaWQiOiIxIn0.signature"  # noqa: S105  made up, and signed by nobody
CREDENTIALS = {"username": "maria", "password": "correct horse"}


@extend_schema_serializer(
    examples=[
        OpenApiExample(f"Credentials, {name}", value=CREDENTIALS, request_only=True, media_type=kind)
        for name, kind in (("JSON", "application/json"), ("form", "application/x-www-form-urlencoded"))
    ]
)
class LoginSerializer(StrictSerializer):
    """User name and password. `grant_type` may say `password`, as OAuth 2 clients do."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1024, trim_whitespace=False, style={"input_type": "password"})
    grant_type = serializers.RegexField("^password$", required=False)


@extend_schema_serializer(examples=[OpenApiExample("Refresh", value={"refresh_token": TOKEN_EXAMPLE})])
class RefreshSerializer(StrictSerializer):
    """A refresh token."""

    refresh_token = serializers.CharField(max_length=LONGEST_TOKEN)


@extend_schema_serializer(
    examples=[OpenApiExample("The session to end", value={"refresh_token": TOKEN_EXAMPLE}, request_only=True)]
)
class LogoutSerializer(StrictSerializer):
    """A refresh token of one's own, or nothing: then the session of the access token ends."""

    refresh_token = serializers.CharField(max_length=LONGEST_TOKEN, required=False)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Tokens",
            value={
                "access_token": TOKEN_EXAMPLE,
                "refresh_token": TOKEN_EXAMPLE,
                "token_type": "bearer",
                "expires_in": 3600,
            },
            response_only=True,
        )
    ]
)
class TokensSerializer(serializers.Serializer[Any]):
    """A pair of tokens; `expires_in` seconds from now the access token ends."""

    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A viewer",
            value={"id": 7, "username": "maria", "email": "maria@example.org", "role": "viewer", "is_active": True},
        )
    ]
)
class MeSerializer(serializers.ModelSerializer[User]):
    """The user who asks."""

    email = serializers.CharField(read_only=True)
    role = serializers.ChoiceField(choices=Role.choices, read_only=True)

    class Meta:
        model = User
        fields = ("id", "username", "email", "role", "is_active")
        read_only_fields = fields


@public
class Login(Endpoint):
    """User name and password for a pair of tokens."""

    authentication_classes = ()
    parser_classes = (Form, StrictJSON)

    @extend_schema(
        request=LoginSerializer, responses=TokensSerializer, operation_id="auth_login", tags=["auth"], auth=[]
    )
    def post(self, request: Request) -> Response:
        """Log in. Whatever does not match is refused in the same words, after the same work."""
        form = LoginSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        credentials = form.validated_data
        user = authenticate(request._request, username=credentials["username"], password=credentials["password"])
        if not isinstance(user, User):
            raise AuthenticationFailed(NO_MATCH)
        user_logged_in.send(sender=User, request=request._request, user=user)
        return Response(start_session(user, request._request))


@public
class Refresh(Endpoint):
    """A refresh token for the next pair of tokens."""

    authentication_classes = ()

    @extend_schema(
        request=RefreshSerializer, responses=TokensSerializer, operation_id="auth_refresh", tags=["auth"], auth=[]
    )
    def post(self, request: Request) -> Response:
        """Renew a pair of tokens. A refresh token is good once: used a second time, it ends the session of both users."""
        form = RefreshSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(renew(form.validated_data["refresh_token"], request._request))


@require_action("account.use")
class Logout(Endpoint):
    """The end of a session."""

    @extend_schema(request=LogoutSerializer, responses={204: None}, operation_id="auth_logout", tags=["auth"])
    def post(self, request: Request) -> Response:
        """Log out: access and refresh token of the session are worthless from the next request on."""
        form = LogoutSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        with transaction.atomic():
            self.session(request, form.validated_data.get("refresh_token")).delete()
            user_logged_out.send(sender=User, request=request._request, user=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def session(self, request: Request, refresh_token: str | None) -> ApiSession:
        """The session to end. Raises ValidationError if there is none, or if it is somebody else's."""
        token: Any = read_refresh_token(refresh_token) if refresh_token else request.auth
        if not token or SESSION_CLAIM not in token:
            raise ValidationError({"refresh_token": ["Give the refresh token of the session to end."]})
        session = session_of(token)
        if session.user != request.user:
            raise ValidationError({"refresh_token": ["This token belongs to somebody else."]})
        return session


@require_action("account.use")
class Me(Endpoint):
    """The user who asks."""

    @extend_schema(responses=MeSerializer, operation_id="auth_me", tags=["auth"])
    def get(self, request: Request) -> Response:
        """Who I am, and in which role."""
        return Response(MeSerializer(cast(User, request.user)).data)
