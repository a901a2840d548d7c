"""The first admin of a new installation."""

import secrets

from django.db import connection, transaction

from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.accounts.services import create_user, issue_link, set_password

# Any constant will do, as long as nothing else in the database uses it.
BOOTSTRAP_LOCK = 0x6165676973


class AdminExistsError(Exception):
    """There is an active admin already: they make further users."""


@transaction.atomic
def create_first_admin(*, username: str, email: str = "") -> str:
    """Create an admin and return their new password, which is kept nowhere else.

    Raises AdminExistsError if somebody can already log in as admin, ValidationError if the name or address will not do.
    """
    password = secrets.token_urlsafe(18)
    set_password(user=_first_admin(username, email), password=password)
    return password


@transaction.atomic
def link_for_first_admin(*, username: str, email: str = "") -> str:
    """Create an admin without a password, and return the token of a one-time link to set one. Raises as above."""
    return issue_link(user=_first_admin(username, email), by=None)


def _first_admin(username: str, email: str) -> User:
    _one_at_a_time()
    if admin := User.objects.active_admins().first():
        raise AdminExistsError(f"{admin.username} is an admin already; admins make further users under Users.")
    return create_user(username=username, email=email, role=Role.ADMIN, by=None)


def _one_at_a_time() -> None:
    """Two servers that start at once must not both make a first admin. SQLite queues writers by itself."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BOOTSTRAP_LOCK])
