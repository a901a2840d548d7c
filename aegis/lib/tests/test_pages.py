"""Pages: whole, or the part that htmx asked for; and lists that survive any page number."""

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django_htmx.middleware import HtmxDetails

from aegis.accounts.models import User
from aegis.lib.pages import came_from, paginate, render_page


@pytest.fixture
def page_template(settings, tmp_path) -> str:
    """A page with a partial called list."""
    (tmp_path / "page.html").write_text(
        "{% load partials %}whole({% partialdef list inline %}list of {{ what }}{% endpartialdef %})"
    )
    options = settings.TEMPLATES[0]["OPTIONS"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path], "OPTIONS": options}]
    return "page.html"


def asked(**headers: str) -> HttpRequest:
    request = RequestFactory().get("/rules", headers=headers)
    request.htmx = HtmxDetails(request)
    return request


def answer(template: str, **headers: str) -> str:
    return render_page(asked(**headers), template, {"what": "rules"}, partial="list").text


def test_first_visit_gets_the_whole_page(page_template):
    assert answer(page_template) == "whole(list of rules)"


def test_htmx_gets_the_part_with_the_same_lines(page_template):
    assert answer(page_template, HX_Request="true") == "list of rules"


def test_htmx_restoring_history_gets_the_whole_page(page_template):
    assert answer(page_template, HX_Request="true", HX_History_Restore_Request="true") == "whole(list of rules)"


def test_caches_keep_page_and_part_apart(page_template):
    response = render_page(asked(), page_template, {"what": "x"}, partial="list", status=422)
    assert response.status_code == 422
    assert response["Vary"] == "HX-Request, HX-History-Restore-Request"


@pytest.mark.parametrize(
    ("asked_for", "number"),
    [
        ("", 1),
        ("1", 1),
        ("2", 2),
        ("3", 3),
        ("4", 3),
        ("0", 3),
        ("-1", 3),
        ("x", 1),
        ("1e9", 1),
        ("9" * 5000, 1),
        ("٢", 2),
    ],
)
def test_any_page_number_leads_to_a_page(db, asked_for, number):
    User.objects.bulk_create(User(username=f"user {count}") for count in range(5))
    request = RequestFactory().get("/users", {"page": asked_for})
    assert paginate(request, User.objects.all(), per_page=2).number == number


def test_page_of_an_empty_list_is_an_empty_page(db):
    assert list(paginate(RequestFactory().get("/users"), User.objects.all())) == []


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ("/gaps?page=2", "/gaps?page=2"),
        ("", ""),
        ("//elsewhere.example", ""),
        ("https://elsewhere.example/", ""),
        ("gaps", ""),
    ],
)
def test_who_is_sent_on_stays_on_this_site(wish, path):
    assert came_from(RequestFactory().post("/", {"next": wish})) == path
    assert came_from(RequestFactory().get("/", {"next": wish})) == path
