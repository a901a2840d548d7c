"""The navigation: no dead links, nothing forbidden, nothing counted in vain."""

import pytest
from django.test import RequestFactory

from aegis.accounts.models import User
from catalog.tests.factories import SEEN, make_rule, make_template
from coverage import context
from coverage.context import Entry, Link, groups, navigation
from coverage.shelf_numbers import LibraryNumbers
from intel.tests.factories import make_actor


@pytest.fixture
def counted(monkeypatch) -> list[str]:
    """Three entries in place of the real ones, and a list of what was counted."""
    calls: list[str] = []

    def count(library: LibraryNumbers) -> int:
        calls.append("users")
        return 7

    entries = (
        Entry("Work", "Nothing yet", "coverage:not-built-yet", "home", "coverage.read"),
        Entry("System", "Health", "health", "db", "source.read", count),
        Entry("System", "Django admin", "admin:index", "gear", "admin.use"),
    )
    monkeypatch.setattr(context, "ENTRIES", entries)
    return calls


def visit(path: str, role: str):
    request = RequestFactory().get(path)
    request.user = User(username="anna", role=role)
    return request


def test_links_are_those_that_exist_and_are_allowed(counted):
    (system,) = groups(visit("/", "viewer"), LibraryNumbers())
    assert system.label == "System"
    assert system.links == (Link("Health", "/health", "db", is_current=False, count=7),)
    (system,) = groups(visit("/", "admin"), LibraryNumbers())
    assert [link.label for link in system.links] == ["Health", "Django admin"]


@pytest.mark.parametrize(
    ("path", "current"),
    [("/health", "Health"), ("/health/ready", "Health"), ("/healthy", ""), ("/admin/accounts/user/", "Django admin")],
)
def test_link_to_the_page_or_above_it_is_the_current_one(counted, path, current):
    marked = [
        link.label
        for group in groups(visit(path, "admin"), LibraryNumbers())
        for link in group.links
        if link.is_current
    ]
    assert marked == ([current] if current else [])


def test_nothing_is_counted_until_a_template_looks(counted):
    value = navigation(visit("/", "viewer"))["navigation"]
    assert counted == []
    assert len(value) == 1
    assert counted == ["users"]


@pytest.mark.django_db
def test_every_real_entry_names_an_action_of_the_policy():
    groups(visit("/", "admin"), LibraryNumbers())
    assert {entry.group for entry in context.ENTRIES} == {"Work", "Knowledge", "System"}


@pytest.mark.django_db
def test_library_is_counted_with_one_query_and_without_what_does_not_count(django_assert_num_queries):
    make_template()
    make_rule()
    make_rule()
    make_rule(status="deprecated")
    make_rule(withdrawn_at=SEEN)
    make_actor()
    make_actor(revoked=True)
    library = LibraryNumbers()
    with django_assert_num_queries(1):
        assert (library.templates, library.rules, library.actors) == (1, 2, 1)


@pytest.mark.django_db
def test_empty_library_counts_nothing():
    library = LibraryNumbers()
    assert (library.templates, library.rules, library.actors) == (0, 0, 0)
