"""Logging in and out."""

import pytest

from aegis.accounts.models import User
from aegis.accounts.tests.conftest import PASSWORD

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "https://evil.example",
    "http:evil.example",
    "http:///evil.example",
    "https:/evil.example",
    r"\\evil.example",
    r"/\evil.example",
    r"\/evil.example",
    r"/\/evil.example",
    "//evil.example/%2f..",
    "//evil%E3%80%82example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\nscript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "ftp://evil.example",
    "//testserver@evil.example",
    "https://testserver@evil.example",
    "http://testserver:80@evil.example/",
    "http://testserver.evil.example",
    "http://[::1]evil.example",
    "\t//evil.example",
    "\n//evil.example",
    "\x00//evil.example",
    "\x08//evil.example",
    "https://testserver:8000/",
]


@pytest.fixture(autouse=True)
def site(small_site) -> None:
    """Every test here logs in to the small site."""


def log_in(client, username="anna", password=PASSWORD, **fields):
    return client.post("/accounts/login", {"username": username, "password": password, **fields})


def test_login_leads_to_the_page_that_was_asked_for(client, user):
    response = log_in(client, next="/read?page=2")
    assert (response.status_code, response["Location"]) == (302, "/read?page=2")
    assert client.get("/read").status_code == 200


def test_login_without_a_wish_leads_home(client, user):
    assert log_in(client)["Location"] == "/"


def test_login_page_keeps_the_wish_in_its_form(client):
    assert '<input type="hidden" name="next" value="/read">' in client.get("/accounts/login?next=/read").text


@pytest.mark.parametrize("target", ELSEWHERE)
def test_login_never_leads_to_another_site(client, user, target):
    assert log_in(client, next=target)["Location"] == "/"


def test_login_page_of_somebody_logged_in_leads_home(client, user):
    client.force_login(user)
    assert client.get("/accounts/login")["Location"] == "/"


def test_failed_logins_all_read_the_same(client, user):
    User.objects.create_user("gone", password=PASSWORD, is_active=False)
    User.objects.create_user("locked")
    failures = [
        log_in(client, "nobody"),
        log_in(client, password="wrong"),
        log_in(client, "gone"),
        log_in(client, "locked"),
    ]
    assert [response.status_code for response in failures] == [200] * 4
    texts = {str(response.context["form"].errors) for response in failures}
    assert len(texts) == 1
    assert "That user name and password do not match." in failures[0].text


def test_user_name_in_other_capitals_is_another_user(client, user):
    assert log_in(client, "ANNA").status_code == 200


def test_login_makes_a_new_session(client, user):
    client.get("/accounts/login")
    client.session["planted"] = "by an attacker"
    before = client.session.session_key
    log_in(client)
    assert client.session.session_key != before


def test_control_characters_in_the_user_name_are_an_answer_and_not_a_crash(client, db):
    assert log_in(client, "an\x00na").status_code == 200


@pytest.mark.parametrize("path", ["/accounts/logout", "/admin/logout/"])
def test_logout_ends_the_session_and_empties_the_cache(client, user, path, settings):
    settings.ROOT_URLCONF = "aegis.urls" if path.startswith("/admin") else settings.ROOT_URLCONF
    client.force_login(user)
    response = client.post(path)
    assert (response.status_code, response["Location"]) == (302, "/accounts/login")
    assert response["Clear-Site-Data"] == '"cache"'
    assert "_auth_user_id" not in client.session


def test_a_link_cannot_log_anybody_out(client, user):
    client.force_login(user)
    assert client.get("/accounts/logout").status_code == 405
    assert client.get("/read").status_code == 200


def test_login_page_needs_no_database_and_shows_nothing_of_the_catalogue(client):
    assert 'class="nav"' not in client.get("/accounts/login").text
