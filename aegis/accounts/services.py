"""Every change to an account, for pages, API and commands alike: each in one transaction, and told by `account_changed`."""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from aegis.accounts.models import ApiSession, BrowserSession, OneTimeLink, User
from aegis.accounts.policy import Role
from aegis.accounts.sessions import end_api_sessions, end_browser_sessions
from aegis.accounts.signals import account_changed

LINK_LIFE: Final = timedelta(minutes=60)


class LastAdminError(Exception):
    """Without this admin nobody could manage Aegis any more."""

    def __init__(self) -> None:
        super().__init__("This is the last active admin: make somebody else an admin first.")


class LinkClosedError(Exception):
    """The link was used, replaced, has run out, or never was one. Which of these is nobody's business."""

    def __init__(self) -> None:
        super().__init__("This link is no longer good. Ask your Aegis admin for a new one.")


@transaction.atomic
def create_user(*, username: str, email: str = "", role: str = Role.VIEWER, by: User | None) -> User:
    """A new active user without a password: `issue_link` lets them set one. Raises ValidationError by field."""
    user = User(
        username=User.normalize_username(username), email=User.objects.normalize_email(email), role=Role(role).value
    )
    user.set_unusable_password()
    user.full_clean()
    # "Admin" beside "admin" would be taken for the same person.
    if User.objects.filter(username__iexact=user.username).exists():
        raise ValidationError({"username": "There is a user of this name already."})
    _insert(user)
    _tell(user, "created", by=by, after={"username": user.username, "email": user.email, "role": user.role})
    return user


@transaction.atomic
def change_access(*, user: User, role: str | None = None, is_active: bool | None = None, by: User | None) -> User:
    """Give the user another role, or switch their account on or off; None leaves a value as it is.

    Whatever changes ends their sessions and tokens. Raises LastAdminError, ValueError for a role that there is not.
    """
    admins = set(User.objects.active_admins().order_by("pk").select_for_update().values_list("pk", flat=True))
    locked = User.objects.select_for_update().get(pk=user.pk)
    before = locked.role, locked.is_active
    locked.role = locked.role if role is None else Role(role).value
    locked.is_active = locked.is_active if is_active is None else is_active
    after = locked.role, locked.is_active
    if after == before:
        return locked
    if admins == {locked.pk} and after != (Role.ADMIN, True):
        raise LastAdminError
    locked.save(update_fields=["role", "is_active"])
    _close(locked)
    if before[0] != after[0]:
        _tell(locked, "role_changed", by=by, before={"role": before[0]}, after={"role": after[0]})
    if before[1] != after[1]:
        change = "activated" if locked.is_active else "deactivated"
        _tell(locked, change, by=by, before={"is_active": before[1]}, after={"is_active": after[1]})
    return locked


@transaction.atomic
def issue_link(*, user: User, by: User | None) -> str:
    """The token of a new link by which its holder sets the user's password once, within `LINK_LIFE`; older links close.

    It is kept nowhere else. Raises ValidationError for a user who may not log in.
    """
    locked = User.objects.select_for_update().get(pk=user.pk)
    if not locked.is_active:
        raise ValidationError("This account is switched off: switch it on first.")
    token = secrets.token_urlsafe(32)
    locked.one_time_links.open().delete()
    link = OneTimeLink.objects.create(
        user=locked, digest=_digest(token), issued_by=by, expires_at=timezone.now() + LINK_LIFE
    )
    _tell(locked, "link_issued", by=by, after={"expires_at": link.expires_at.isoformat()})
    return token


def open_link(token: str) -> OneTimeLink:
    """The link of a token, if it still works. Raises LinkClosedError."""
    link = OneTimeLink.objects.open().select_related("user").filter(digest=_digest(token)).first()
    if link is None:
        raise LinkClosedError
    return link


@transaction.atomic
def redeem_link(*, token: str, password: str) -> User:
    """Use the link up and set the password; the user's sessions and tokens end. Raises LinkClosedError.

    The password must have passed the validators.
    """
    link = OneTimeLink.objects.open().select_for_update(of=("self",)).filter(digest=_digest(token)).first()
    if link is None:
        raise LinkClosedError
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
    user = User.objects.select_for_update().get(pk=link.user_id)
    _set_password(user, password)
    _close(user)
    _tell(user, "password_changed", by=None, after={"by": "one-time link"})
    return user


@transaction.atomic
def set_password(*, user: User, password: str) -> None:
    """Set the password of a user who was made on the command line."""
    _set_password(user, password)
    _tell(user, "password_changed", by=None, after={"by": "the command line"})


@transaction.atomic
def change_password(*, user: User, password: str, keep_session: str | None) -> None:
    """Set one's own password, which has passed the validators. All sessions and tokens end but `keep_session` (its key)."""
    _set_password(user, password)
    _close(user, keep_session=keep_session)
    _tell(user, "password_changed", by=user, after={"by": "the user"})


@transaction.atomic
def end_sessions(*, user: User, by: User, keep_session: str | None = None) -> int:
    """End the user's sessions in browsers and with the API, but `keep_session` (its key); how many there were."""
    ended = end_browser_sessions(user.browser_sessions.exclude(session=keep_session)) + end_api_sessions(
        user.api_sessions.all()
    )
    if ended:
        _tell(user, "sessions_ended", by=by, after={"ended": ended})
    return ended


@transaction.atomic
def end_one_session(*, session: BrowserSession | ApiSession, by: User) -> None:
    """End one login."""
    if isinstance(session, BrowserSession):
        end_browser_sessions(BrowserSession.objects.filter(pk=session.pk))
    else:
        end_api_sessions(ApiSession.objects.filter(pk=session.pk))
    _tell(session.user, "sessions_ended", by=by, after={"ended": 1})


def _insert(user: User) -> None:
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:  # somebody else made a user of this name since it was checked
        raise ValidationError({"username": "There is a user of this name already."}) from error


def _set_password(user: User, password: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])


def _close(user: User, keep_session: str | None = None) -> None:
    """End sessions and tokens, and the links that are still out: they were given to who the user was before."""
    end_browser_sessions(user.browser_sessions.exclude(session=keep_session))
    end_api_sessions(user.api_sessions.all())
    user.one_time_links.open().delete()


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _tell(
    user: User,
    change: str,
    *,
    by: User | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    account_changed.send(sender=User, user=user, change=change, by=by, before=before or {}, after=after or {})
