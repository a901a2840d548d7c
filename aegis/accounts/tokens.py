"""Bearer tokens: a short-lived one to use, and a long-lived one that is good once, to get the next pair.

Both name the session that they belong to. When it ends (by logging out, or because a refresh token came twice) both are
worthless at the next request. A token says who, never what they may do: roles are read anew each time.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, cast
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import Token
from rest_framework_simplejwt.utils import get_md5_hash_password

from aegis.accounts.models import ApiSession, User
from aegis.accounts.sessions import device_of, note_use

SESSION_CLAIM = "sid"
SCHEME: Final = "Bearer"
NO_GOOD: Final = "This is no access token, or it has expired: renew it at /api/v1/auth/refresh, or log in again."


class Keys(TokenBackend):
    """Signs with JWT_SIGNING_KEY, and knows what was signed with that or with one of JWT_SIGNING_OLD_KEYS."""

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:
        """The claims. Raises TokenBackendError."""
        try:
            return super().decode(token, verify)
        except TokenBackendExpiredToken:
            raise
        except TokenBackendError:
            for key in settings.JWT_SIGNING_OLD_KEYS:
                with suppress(TokenBackendError):
                    return _backend(TokenBackend, key).decode(token, verify)
            raise


class SignedToken(Token):
    """What both kinds of tokens share."""

    def get_token_backend(self) -> TokenBackend:
        """Our keys, as they are configured now."""
        return _backend(Keys, settings.JWT_SIGNING_KEY)


class AccessToken(SignedToken):
    """Good for an hour, or what is configured, while its session stands."""

    token_type = "access"  # noqa: S105  the kind of token, not a secret
    lifetime = cast(timedelta, api_settings.ACCESS_TOKEN_LIFETIME)


class RefreshToken(SignedToken):
    """Good once: for a new pair of tokens, or to log out."""

    token_type = "refresh"  # noqa: S105  the kind of token, not a secret
    lifetime = cast(timedelta, api_settings.REFRESH_TOKEN_LIFETIME)


class TokenAuthentication(JWTAuthentication):
    """Reads `Authorization: Bearer`. The user behind the token must be active, and the session must not have ended."""

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        """The user and the token; None without one. Raises AuthenticationFailed."""
        header = self.get_header(request)
        text = self.get_raw_token(header) if header else None
        if text is None:
            return None
        token = self.get_validated_token(text)
        session = session_of(token)
        note_use(session, request._request)
        return session.user, token

    def get_raw_token(self, header: bytes) -> bytes | None:
        """The token of a header, None without one. `bearer`, as logging in calls it, is `Bearer` (RFC 9110, 11.1)."""
        scheme, *rest = header.split() or [b""]
        is_ours = scheme.lower() == SCHEME.lower().encode()
        return super().get_raw_token(b" ".join([SCHEME.encode(), *rest])) if is_ours else None

    def get_validated_token(self, raw_token: Any) -> Token:
        """The verified token. Raises AuthenticationFailed, which says what to do."""
        try:
            return AccessToken(raw_token)
        except TokenError as error:
            raise AuthenticationFailed(NO_GOOD, code="token_not_valid") from error


def session_of(token: Token) -> ApiSession:
    """The session of a verified token. Raises AuthenticationFailed if it ended, or if its user may no longer log in."""
    session = ApiSession.objects.select_related("user").filter(pk=token.get(SESSION_CLAIM)).first()
    if session is None:
        raise AuthenticationFailed("The session of this token has ended: log in again.", code="session_ended")
    same_password = token.get(api_settings.REVOKE_TOKEN_CLAIM) == get_md5_hash_password(session.user.password)
    if not session.user.is_active or not same_password:
        raise AuthenticationFailed("This token is no longer good: log in again.", code="user_changed")
    return session


def start_session(user: User, request: HttpRequest | None = None) -> dict[str, Any]:
    """A new session's tokens, as `tokens`; the request says from which device. The user's dead sessions are forgotten."""
    user.api_sessions.filter(expires_at__lt=timezone.now()).delete()
    device = device_of(request) if request else {}
    session = ApiSession.objects.create(user=user, refresh_id=uuid4().hex, expires_at=_end(), **device)
    return tokens(session)


def renew(text: str, request: HttpRequest | None = None) -> dict[str, Any]:
    """The next pair of tokens for a refresh token, as `tokens`.

    Raises AuthenticationFailed. A refresh token that comes a second time was copied: it ends the session for everybody.
    """
    token = read_refresh_token(text)
    session = session_of(token)
    used, session.refresh_id, session.expires_at = token.get("jti"), uuid4().hex, _end()
    is_first = ApiSession.objects.filter(pk=session.pk, refresh_id=used).update(
        refresh_id=session.refresh_id,
        expires_at=session.expires_at,
        seen_at=timezone.now(),
        **(device_of(request) if request else {}),
    )
    if not is_first:
        session.delete()
        raise AuthenticationFailed("This refresh token was used before: its session has been ended.", code="reused")
    return tokens(session)


def read_refresh_token(text: str) -> RefreshToken:
    """The verified token. Raises AuthenticationFailed."""
    try:
        return RefreshToken(cast(Any, text))
    except TokenError as error:
        raise AuthenticationFailed("This is no refresh token, or it has expired: log in again.") from error


def tokens(session: ApiSession) -> dict[str, Any]:
    """`access_token`, `refresh_token`, `token_type`, and `expires_in`: the seconds for which the access token is good."""
    refresh, access = RefreshToken.for_user(session.user), AccessToken.for_user(session.user)
    refresh[SESSION_CLAIM] = access[SESSION_CLAIM] = str(session.pk)
    refresh["jti"] = session.refresh_id
    return {
        "access_token": str(access),
        "refresh_token": str(refresh),
        "token_type": "bearer",
        "expires_in": int(api_settings.ACCESS_TOKEN_LIFETIME.total_seconds()),
    }


def _end() -> Any:
    return timezone.now() + api_settings.REFRESH_TOKEN_LIFETIME


def _backend(kind: type[TokenBackend], key: str) -> TokenBackend:
    """What signs and reads tokens with `key`, by all other settings."""
    return kind(
        str(api_settings.ALGORITHM),
        key,
        audience=api_settings.AUDIENCE,
        issuer=cast(str, api_settings.ISSUER),
        leeway=cast(int, api_settings.LEEWAY),
    )
