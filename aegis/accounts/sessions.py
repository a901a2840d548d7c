"""Logins in browsers: noted when they begin, ended when they are idle, too old, or revoked."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from aegis.accounts.models import ApiSession, BrowserSession, User
from aegis.lib.addresses import client_address

STARTED: Final = "started_at"
SEEN: Final = "seen_at"
CONFIRMED: Final = "confirmed_at"
"""Names in the session: seconds since 1970 of the login, the last request that was noted, and the last password given."""

CONFIRMED_FOR: Final = 15 * 60
"""Seconds for which a password that was given is enough."""

NOTED_EVERY: Final = 60
"""Seconds between two notes of a session that is in use: one write a minute, not one a request."""


class SessionLimitsMiddleware:
    """Ends a login that is older than SESSION_ABSOLUTE_SECONDS, and keeps one that is in use from running out.

    Idle logins end by themselves: Django forgets a session SESSION_COOKIE_AGE seconds after it was last saved.
    """

    def __init__(self, respond: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.respond = respond

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if SESSION_KEY in request.session:
            self._limit(request, int(timezone.now().timestamp()))
        response = self.respond(request)
        session = request.session
        # Whoever ends their own login has it ended while it is in use: to save it then would be an error, not a logout.
        if session.modified and session.session_key and not session.exists(session.session_key):
            session.flush()
        return response

    def _limit(self, request: HttpRequest, now: int) -> None:
        session = request.session
        if now - session.get(STARTED, 0) >= settings.SESSION_ABSOLUTE_SECONDS:
            session.flush()
            request.user = AnonymousUser()
        elif now - session.get(SEEN, 0) >= NOTED_EVERY:
            session[SEEN] = now
            BrowserSession.objects.filter(session=session.session_key).update(
                seen_at=timezone.now(), address=client_address(request)
            )


def note_login(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Receiver of `user_logged_in`. A login to the API has no session of its own, and is not noted here."""
    session = getattr(request, "session", None)
    if request is None or session is None or session.get(SESSION_KEY) != str(user.pk):
        return
    session[STARTED] = session[SEEN] = session[CONFIRMED] = int(timezone.now().timestamp())
    note_session(request, user)


def note_confirmation(request: HttpRequest) -> None:
    """Remember that the user has just given their password."""
    request.session[CONFIRMED] = int(timezone.now().timestamp())


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the user has given their password in the last `CONFIRMED_FOR` seconds."""
    return timezone.now().timestamp() - float(request.session.get(CONFIRMED, 0)) < CONFIRMED_FOR


def note_session(request: HttpRequest, user: User) -> None:
    """Write down, under the key that the request's session has now, who uses it and from where."""
    if request.session.session_key is None:
        request.session.save()
    BrowserSession.objects.update_or_create(
        session_id=request.session.session_key,
        defaults={
            "user": user,
            **device_of(request),
            "started_at": datetime.fromtimestamp(request.session[STARTED], tz=UTC),
        },
    )


def device_of(request: HttpRequest) -> dict[str, Any]:
    """`address` and `user_agent` of whoever sends a request."""
    agent = request.headers.get("User-Agent", "").replace("\0", "")
    return {"address": client_address(request), "user_agent": agent[:255]}


def note_use(session: ApiSession, request: HttpRequest) -> None:
    """Write down, once a minute, that the tokens of a session are in use, and from where."""
    now = timezone.now()
    if (now - session.seen_at).total_seconds() >= NOTED_EVERY:
        ApiSession.objects.filter(pk=session.pk).update(seen_at=now, **device_of(request))


def current_browser_sessions(user: User) -> QuerySet[BrowserSession]:
    """The user's logins that have not run out."""
    return user.browser_sessions.filter(session__expire_date__gt=timezone.now())


def current_api_sessions(user: User) -> QuerySet[ApiSession]:
    """The user's logins to the API that have not run out."""
    return user.api_sessions.filter(expires_at__gt=timezone.now())


def end_browser_sessions(sessions: QuerySet[BrowserSession]) -> int:
    """End these logins; how many there were. A request that is under way in one of them cannot bring it back."""
    keys = list(sessions.values_list("session_id", flat=True))
    Session.objects.filter(pk__in=keys).delete()
    return len(keys)


def end_api_sessions(sessions: QuerySet[ApiSession]) -> int:
    """End these logins; how many there were."""
    return sessions.delete()[0]
