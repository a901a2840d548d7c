"""A visitor, and a page that opens."""

from collections.abc import Callable

import pytest
from django.test import Client

from aegis.accounts.tests.factories import make_user


@pytest.fixture
def client_of_viewer(db) -> Client:
    """A browser in which a viewer is logged in."""
    client = Client()
    client.force_login(make_user())
    return client


@pytest.fixture
def shown(client_of_viewer, django_assert_max_num_queries) -> Callable[..., str]:
    """The HTML of a page as a viewer gets it, made with at most `queries` queries."""

    def show(path: str, *, queries: int = 11, **query: str) -> str:
        with django_assert_max_num_queries(queries):
            answer = client_of_viewer.get(path, query)
        assert answer.status_code == 200
        return answer.content.decode()

    return show
