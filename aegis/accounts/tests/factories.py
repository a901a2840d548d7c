"""Made-up users."""

from itertools import count
from typing import Any, Final

from rest_framework.test import APIClient

from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.accounts.tokens import start_session

PASSWORD: Final = "a password of the tests"
_numbers = count(100_001)  # as many digits for every row: names and ids sort as they were made


def make_user(role: str = Role.VIEWER, *, password: str = PASSWORD, **fields: Any) -> User:
    """A user who can log in with `PASSWORD`."""
    username = fields.pop("username", f"user-{next(_numbers)}")
    return User.objects.create_user(username, password=password, role=role, **fields)


def bearer(user: User | None = None) -> APIClient:
    """A client of the API with a token of the user, a new viewer if none is given. Exceptions of ours become a 500."""
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {start_session(user or make_user())['access_token']}")
    return client
