"""Logins in browsers: new at each login, ended when idle, old, revoked, or when their user changes; listed for their user."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from aegis.accounts import services
from aegis.accounts.devices import device_name
from aegis.accounts.models import ApiSession, BrowserSession, User
from aegis.accounts.policy import Role
from aegis.accounts.sessions import SEEN, STARTED
from aegis.accounts.tests.conftest import PASSWORD
from aegis.accounts.tests.factories import bearer, make_user

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def browser(user, **extra):
    client = Client(**extra)
    client.force_login(user)
    return client


def is_logged_in(client):
    return client.get("/accounts/profile").status_code == 200


def set_back(client, name, seconds):
    session = client.session
    session[name] -= seconds
    session.save()


def log_in_again(client, user):
    client.post("/accounts/login", {"username": user.username, "password": PASSWORD})


def key_of(client):
    return client.session.session_key


ENDS = {
    "idle for 30 minutes": lambda user, client: Session.objects.update(expire_date=timezone.now()),
    "12 hours old": lambda user, client: set_back(client, STARTED, 12 * 3600),
    "of nobody knows when": lambda user, client: set_back(client, STARTED, 10**9),
    "switched off": lambda user, client: services.change_access(user=user, is_active=False, by=None),
    "switched off in the database": lambda user, client: User.objects.filter(pk=user.pk).update(is_active=False),
    "in another role": lambda user, client: services.change_access(user=user, role=Role.BLUE_LEAD, by=None),
    "with another password": lambda user, client: services.set_password(user=user, password="another password"),
    "with another password in the database": lambda user, client: User.objects.filter(pk=user.pk).update(password="x"),
    "deleted": lambda user, client: User.objects.filter(pk=user.pk).delete(),
    "revoked everywhere": lambda user, client: services.end_sessions(user=user, by=user),
    "revoked alone": lambda user, client: services.end_one_session(session=user.browser_sessions.get(), by=user),
    "logged out": lambda user, client: client.post("/accounts/logout"),
    "with another key": lambda user, client: client.cookies.load({"aegis": "0" * 32}),
    "without a key": lambda user, client: client.cookies.clear(),
}
LASTS = {
    "29 minutes idle": lambda user, client: Session.objects.update(expire_date=timezone.now() + timedelta(minutes=1)),
    "11:59 old": lambda user, client: set_back(client, STARTED, 12 * 3600 - 60),
    "seen an hour ago": lambda user, client: set_back(client, SEEN, 3600),
    "saved without a change": lambda user, client: services.change_access(user=user, role=user.role, by=None),
    "with the other logins ended": lambda user, client: services.end_sessions(
        user=user, by=user, keep_session=key_of(client)
    ),
    "of a user with a new link": lambda user, client: services.issue_link(user=user, by=None),
}


@pytest.fixture
def anna(db):
    return make_user(Role.RED_TECH, password=PASSWORD)


@pytest.mark.parametrize("what", ENDS)
def test_login_ends_at_the_next_request_when(anna, what):
    client = browser(anna)
    assert is_logged_in(client)
    ENDS[what](anna, client)
    assert not is_logged_in(client)
    assert not is_logged_in(client)


@pytest.mark.parametrize("what", LASTS)
def test_login_lasts_when(anna, what):
    client = browser(anna)
    LASTS[what](anna, client)
    assert is_logged_in(client)


@pytest.mark.parametrize(
    "change",
    [
        lambda user: services.change_access(user=user, is_active=False, by=None),
        lambda user: services.change_access(user=user, role=Role.VIEWER, by=None),
        lambda user: services.set_password(user=user, password="another password"),
        lambda user: services.change_password(user=user, password="another password", keep_session=None),
        lambda user: services.end_sessions(user=user, by=user),
        lambda user: services.end_one_session(session=user.api_sessions.get(), by=user),
        lambda user: services.redeem_link(token=services.issue_link(user=user, by=None), password="another password"),
    ],
    ids=["off", "role", "set", "changed", "all", "one", "link"],
)
def test_tokens_of_the_api_end_with_the_logins(anna, change):
    client = bearer(anna)
    assert client.get("/api/v1/auth/me").status_code == 200
    change(anna)
    assert client.get("/api/v1/auth/me").status_code == 401


def test_role_and_back_again_does_not_bring_an_old_login_back(anna):
    client, token = browser(anna), bearer(anna)
    services.change_access(user=anna, role=Role.VIEWER, by=None)
    services.change_access(user=anna, role=Role.RED_TECH, by=None)
    assert not is_logged_in(client)
    assert token.get("/api/v1/auth/me").status_code == 401


def test_login_gives_a_new_key_and_the_old_one_is_worthless(anna):
    client = browser(anna)
    before = key_of(client)
    client.post("/accounts/logout")
    log_in_again(client, anna)
    assert key_of(client) != before
    thief = Client()
    thief.cookies["aegis"] = before
    assert not is_logged_in(thief)


def test_login_over_another_users_login_leaves_one_session(anna, user):
    client = browser(user)
    client.force_login(anna)
    assert is_logged_in(client)
    assert [session.user for session in BrowserSession.objects.all()] == [anna]


def test_use_keeps_a_login_alive_with_one_write_a_minute(anna):
    client = browser(anna)
    set_back(client, SEEN, 61)
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=30))
    BrowserSession.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    assert is_logged_in(client)
    assert Session.objects.get().expire_date > timezone.now() + timedelta(minutes=29)
    assert BrowserSession.objects.get().seen_at > timezone.now() - timedelta(minutes=1)
    with CaptureQueriesContext(connection) as queries:
        assert is_logged_in(client)
    written = ("INSERT", "UPDATE", "DELETE")
    assert [query["sql"] for query in queries if query["sql"].startswith(written)] == []


def test_revoked_login_is_not_brought_back_by_a_request_under_way(anna):
    client = browser(anna)
    session = client.session
    session["late"] = True  # it is loaded now
    services.end_sessions(user=anna, by=anna)
    with pytest.raises(UpdateError):
        session.save()
    assert not Session.objects.exists()


def test_profile_lists_where_one_is_logged_in(anna):
    client = browser(anna)
    log_in_again(other := Client(REMOTE_ADDR="198.51.100.7", headers={"User-Agent": FIREFOX}), anna)
    bearer(anna)
    page = client.get("/accounts/profile").text
    assert "This browser" in page
    assert "Firefox on Linux" in page
    assert "198.51.100.7" in page
    assert page.count("these tokens") == 1
    assert key_of(other) not in page
    assert key_of(client) not in page


def api_login(user, **extra):
    client = APIClient(**extra)
    tokens = client.post("/api/v1/auth/login", {"username": user.username, "password": PASSWORD}, format="json").json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
    return client, tokens


def test_profile_tells_device_address_and_last_use_of_a_login_to_the_api(anna):
    api_login(anna, REMOTE_ADDR="198.51.100.8", HTTP_USER_AGENT="aegis-sync/2.1 python")
    ApiSession.objects.update(seen_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    page = browser(anna).get("/accounts/profile").text
    assert "aegis-sync/2.1" in page
    assert "198.51.100.8" in page
    assert "2 Jan 2026, 03:04" in page


def test_use_of_tokens_is_noted_with_one_write_a_minute(anna):
    client, _ = api_login(anna, REMOTE_ADDR="198.51.100.8", HTTP_USER_AGENT="curl/8.5.0")
    ApiSession.objects.update(seen_at=timezone.now() - timedelta(seconds=61), address=None)
    with CaptureQueriesContext(connection) as queries:
        client.get("/api/v1/auth/me")
        client.get("/api/v1/auth/me")
    assert [query["sql"].split()[0] for query in queries].count("UPDATE") == 1
    session = ApiSession.objects.get()
    assert session.seen_at > timezone.now() - timedelta(minutes=1)
    assert (session.address, session.device) == ("198.51.100.8", "curl/8.5.0")


def test_renewed_tokens_are_of_the_device_that_renewed_them(anna):
    client, tokens = api_login(anna, HTTP_USER_AGENT="curl/8.5.0")
    renewed = {"refresh_token": tokens["refresh_token"]}
    client.post("/api/v1/auth/refresh", renewed, format="json", HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.9")
    session = ApiSession.objects.get()
    assert (session.address, session.device) == ("203.0.113.9", "Firefox on Linux")


def test_admin_ends_one_login_of_a_user_and_the_others_last(anna):
    admin, here, there, token = browser(make_user(Role.ADMIN)), browser(anna), browser(anna), bearer(anna)
    gone = BrowserSession.objects.get(session=key_of(there))
    page = admin.get(f"/users/{anna.pk}").text
    for path in (f"sessions/{gone.pk}/end", f"api-sessions/{ApiSession.objects.get().pk}/end"):
        assert f"/users/{anna.pk}/{path}" in page
        assert admin.post(f"/users/{anna.pk}/{path}").status_code == 302
        assert admin.post(f"/users/{anna.pk}/{path}").status_code == 404
    assert (is_logged_in(here), is_logged_in(there)) == (True, False)
    assert token.get("/api/v1/auth/me").status_code == 401
    assert (
        admin.post(f"/users/{anna.pk + 1}/sessions/{BrowserSession.objects.get(user=anna).pk}/end").status_code == 404
    )


def test_django_admin_lists_logins_without_their_keys(anna):
    admin, client = browser(make_user(Role.ADMIN)), Client(headers={"User-Agent": FIREFOX})
    log_in_again(client, anna)
    api_login(anna, HTTP_USER_AGENT="curl/8.5.0")
    for model, device in ((BrowserSession, "Firefox on Linux"), (ApiSession, "curl/8.5.0")):
        path = f"/admin/accounts/{model._meta.model_name}/"
        for page in (admin.get(path), admin.get(f"{path}{model.objects.get(user=anna).pk}/change/")):
            assert device in page.text
            assert key_of(client) not in page.text
            assert getattr(model.objects.get(user=anna), "refresh_id", "-" * 20) not in page.text


def test_user_ends_a_login_of_their_own(anna):
    here, there, token = browser(anna), browser(anna), bearer(anna)
    session = BrowserSession.objects.get(session=key_of(there))
    assert here.post(f"/accounts/sessions/{session.pk}/end").status_code == 302
    assert here.post(f"/accounts/api-sessions/{ApiSession.objects.get().pk}/end").status_code == 302
    assert (is_logged_in(here), is_logged_in(there)) == (True, False)
    assert token.get("/api/v1/auth/me").status_code == 401


def test_user_ends_all_logins_but_this_one(anna):
    here, there, token = browser(anna), browser(anna), bearer(anna)
    here.post("/accounts/sessions/end-others")
    assert (is_logged_in(here), is_logged_in(there)) == (True, False)
    assert token.get("/api/v1/auth/me").status_code == 401


def test_nobody_ends_a_login_of_somebody_else_from_the_profile(anna, user):
    mine, theirs, token = browser(anna), browser(user), bearer(user)
    session, api_session = BrowserSession.objects.get(user=user), ApiSession.objects.get(user=user)
    assert mine.post(f"/accounts/sessions/{session.pk}/end").status_code == 404
    assert mine.post(f"/accounts/api-sessions/{api_session.pk}/end").status_code == 404
    assert is_logged_in(theirs)
    assert token.get("/api/v1/auth/me").status_code == 200


def test_login_of_the_api_is_no_login_of_the_browser_that_sent_it(anna, user):
    client = browser(user)
    client.post(
        "/api/v1/auth/login", f"username={anna.username}&password={PASSWORD}", "application/x-www-form-urlencoded"
    )
    assert [session.user for session in BrowserSession.objects.all()] == [user]


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iOS"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1", "Safari on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "A browser on Linux"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("<script>alert(1)</script> x", "<script>alert(1)</script>"),
        ("", "Unknown device"),
    ],
)
def test_device_is_named_in_words(user_agent, name):
    assert device_name(user_agent) == name


@pytest.mark.parametrize("idle", [0, 120])
def test_whoever_ends_their_own_login_is_logged_out(user, idle):
    client = browser(user)
    set_back(client, SEEN, idle)
    answer = client.post(f"/accounts/sessions/{user.browser_sessions.get().pk}/end")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/profile")
    assert not is_logged_in(client)
    assert not Session.objects.exists()


def test_a_new_secret_key_logs_nobody_out_while_the_old_one_is_named(user, settings):
    client, stranger = browser(user), browser(make_user(username="bert"))
    old, settings.SECRET_KEY = settings.SECRET_KEY, "the next secret key of the tests"
    assert not is_logged_in(stranger)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert is_logged_in(client)
    settings.SECRET_KEY_FALLBACKS = []
    assert is_logged_in(client), "the session was signed anew with the new key"
