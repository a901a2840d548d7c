"""What the audit trail hears by signals: logins, changes of users, and lists that are taken as files, from the floors below."""

from typing import Any, Final

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from aegis.accounts.models import User
from aegis.accounts.signals import account_changed
from aegis.audit.recording import Subject, record
from aegis.audit.watch import watch
from aegis.lib.signals import list_exported

WATCHED: Final = frozenset({"created", "role_changed", "activated", "deactivated", "password_changed"})
"""Changes that are seen when the user is saved, by whichever way."""


def listen() -> None:
    """Connect the receivers."""
    user_logged_in.connect(record_login, dispatch_uid="audit")
    user_login_failed.connect(record_failed_login, dispatch_uid="audit")
    user_logged_out.connect(record_logout, dispatch_uid="audit")
    account_changed.connect(record_account, dispatch_uid="audit")
    list_exported.connect(record_export, dispatch_uid="audit")
    watch(
        User,
        "user",
        {
            "role": "role_changed",
            "is_active": lambda user: "activated" if user.is_active else "deactivated",
            "password": password_verb,
            "username": "renamed",
            "email": "changed",
            "first_name": "changed",
            "last_name": "changed",
        },
    )


def record_login(sender: Any, request: Any, user: User, **_: Any) -> None:
    """`user.login`: by the form or by the API."""
    record(user, "user.login", user, request=request)


def record_failed_login(sender: Any, credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    """`user.login_failed`, with the name that was tried. The same work whether there is such a user or not.

    A try that the throttle refused unread is no failure: it stands in the log alone. The trail is kept for ever, and whoever
    must wait could fill it.
    """
    if getattr(request, "axes_locked_out", False):
        return
    name = str(credentials.get("username", ""))
    record(None, "user.login_failed", Subject(User._meta.label_lower, "", name), request=request)


def record_logout(sender: Any, request: Any, user: User | None, **_: Any) -> None:
    """`user.logout`; nothing if nobody was logged in."""
    if user is not None:
        record(user, "user.logout", user, request=request)


def record_account(
    sender: Any, user: User, change: str, by: User | None, before: dict[str, Any], after: dict[str, Any], **_: Any
) -> None:
    """`user.link_issued`, `user.sessions_ended` and whatever else is no saved field of the user: those are watched."""
    if change not in WATCHED:
        record(by, f"user.{change}", user, before=before, after=after)


def record_export(sender: Any, user: User, name: str, kind: str, filters: dict[str, list[str]], **_: Any) -> None:
    """`list.exported`: somebody took a list as a file."""
    record(user, "list.exported", Subject("list", name), after={"format": kind, "filters": filters})


def password_verb(user: User) -> str:
    """Whether somebody chose a password, or Django stored the same one under a newer hash at login."""
    chosen = getattr(user, "_password", None) is not None
    return "password_changed" if chosen else "password_rehashed"
