"""Users of every kind, and a small site to let them loose on."""

from collections.abc import Callable

import pytest
from django.test import Client

from aegis.accounts.models import User
from aegis.accounts.policy import Role

PASSWORD = "correct horse battery staple"


@pytest.fixture
def user(db) -> User:
    """An active viewer called anna, with PASSWORD."""
    return User.objects.create_user("anna", password=PASSWORD)


@pytest.fixture
def client_of(db) -> Callable[[Role], Client]:
    """A browser in which a user of the role is logged in."""

    def log_in(role: Role) -> Client:
        client = Client()
        client.force_login(User.objects.create_user(f"a {role}", role=role))
        return client

    return log_in


@pytest.fixture
def small_site(settings) -> None:
    """The views of views_under_test in place of the real ones."""
    settings.ROOT_URLCONF = "aegis.accounts.tests.views_under_test"
