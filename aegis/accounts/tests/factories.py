"""Made-up users."""

from itertools import count
from typing import Any, Final

from aegis.accounts.models import User
from aegis.accounts.policy import Role

PASSWORD: Final = "a password of the tests"
_numbers = count(1)


def make_user(role: str = Role.VIEWER, *, password: str = PASSWORD, **fields: Any) -> User:
    """A user who can log in with `PASSWORD`."""
    username = fields.pop("username", f"user-{next(_numbers)}")
    return User.objects.create_user(username, password=password, role=role, **fields)
