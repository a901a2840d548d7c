"""Users are made, changed and switched off by admins, on the page as in the API, and there is always an admin left."""

import re
from threading import Barrier, Thread

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from aegis.accounts import services
from aegis.accounts.models import OneTimeLink, User
from aegis.accounts.policy import ROLES, Role
from aegis.accounts.sessions import CONFIRMED
from aegis.accounts.signals import account_changed
from aegis.accounts.tests.conftest import PASSWORD
from aegis.accounts.tests.factories import bearer, make_user

WRITES = ["/users/new", "/users/{pk}", "/users/{pk}/link", "/users/{pk}/end-sessions"]


@pytest.fixture
def admin(db):
    return make_user(Role.ADMIN, username="root", password=PASSWORD)


@pytest.fixture
def page(admin):
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def api(admin):
    return bearer(admin)


@pytest.fixture
def told():
    """What `account_changed` says, as (change, user name, actor's name, before, after)."""
    heard = []

    def hear(sender, user, change, by, before, after, **_):
        heard.append((change, user.username, by and by.username, before, after))

    account_changed.connect(hear)
    yield heard
    account_changed.disconnect(hear)


def link_in(text):
    found = re.search(r"http://testserver(/accounts/link/[A-Za-z0-9_-]{43})", text)
    assert found
    return found.group(1)


def patch(api, user, **fields):
    return api.patch(f"/api/v1/users/{user.pk}", fields, format="json")


def test_admin_makes_a_user_who_chooses_the_password(page):
    answer = page.post("/users/new", {"username": "maria", "email": "maria@example.org", "role": "red_lead"})
    maria = User.objects.get(username="maria")
    assert (answer.status_code, maria.role, maria.has_usable_password()) == (200, "red_lead", False)
    assert "Shown this once." in answer.text
    new = {"new_password1": "a password of maria's", "new_password2": "a password of maria's"}
    assert Client().post(link_in(answer.text), new).status_code == 302
    answer = Client().post("/accounts/login", {"username": "maria", "password": "a password of maria's"})
    assert answer.status_code == 302


def test_link_is_never_shown_again(page):
    link = link_in(page.post("/users/new", {"username": "maria", "role": "viewer"}).text)
    maria = User.objects.get(username="maria")
    token = link.rpartition("/")[2]
    assert token not in page.get(f"/users/{maria.pk}").text
    assert token not in str(OneTimeLink.objects.values_list())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"username": "", "role": "viewer"}, "This field is required."),
        ({"username": "two words", "role": "viewer"}, "Enter a valid username."),
        ({"username": "x" * 151, "role": "viewer"}, "at most 150 characters"),
        ({"username": "root", "role": "viewer"}, "already exists"),
        ({"username": "ROOT", "role": "viewer"}, "There is a user of this name already."),
        ({"username": "maria", "role": "owner"}, "owner is not one of the available choices"),
        ({"username": "maria"}, "This field is required."),
        ({"username": "maria", "role": "viewer", "email": "nowhere"}, "Enter a valid email address."),
    ],
)
def test_page_refuses_a_user_that_will_not_do_and_says_why(page, fields, message):
    answer = page.post("/users/new", fields)
    assert answer.status_code == 200
    assert message in answer.text.replace("&#x27;", "'")
    assert User.objects.count() == 1


def test_admin_changes_role_and_access_on_the_page(page, user, told):
    assert page.post(f"/users/{user.pk}", {"role": "blue_tech", "is_active": "on"}).status_code == 302
    assert page.post(f"/users/{user.pk}", {"role": "blue_tech"}).status_code == 302
    user.refresh_from_db()
    assert (user.role, user.is_active) == ("blue_tech", False)
    assert told == [
        ("role_changed", "anna", "root", {"role": "viewer"}, {"role": "blue_tech"}),
        ("deactivated", "anna", "root", {"is_active": True}, {"is_active": False}),
    ]


def test_every_change_is_told_once_and_without_secrets(admin, told):
    user = services.create_user(username="maria", role=Role.VIEWER, by=admin)
    token = services.issue_link(user=user, by=admin)
    services.redeem_link(token=token, password="a password of maria's")
    services.change_password(user=user, password="another of maria's", keep_session=None)
    services.change_access(user=user, is_active=False, by=admin)
    services.change_access(user=user, is_active=True, by=admin)
    bearer(user)
    services.end_sessions(user=user, by=admin)
    services.end_sessions(user=user, by=admin)
    assert [(change, by) for change, _, by, _, _ in told] == [
        ("created", "root"),
        ("link_issued", "root"),
        ("password_changed", None),
        ("password_changed", "maria"),
        ("deactivated", "root"),
        ("activated", "root"),
        ("sessions_ended", "root"),
    ]
    assert token not in str(told)
    assert "maria's" not in str(told)


@pytest.mark.parametrize("fields", [{"role": "viewer"}, {"is_active": False}, {"role": "viewer", "is_active": False}])
def test_last_active_admin_stays_whoever_asks(page, api, admin, fields):
    User.objects.create_user("old", role=Role.ADMIN, is_active=False)
    with pytest.raises(services.LastAdminError):
        services.change_access(user=admin, by=admin, **fields)
    answer = patch(api, admin, **fields)
    assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json")
    assert answer.json()["detail"] == "This is the last active admin: make somebody else an admin first."
    form = {"role": fields.get("role", "admin")} | ({"is_active": "on"} if fields.get("is_active", True) else {})
    assert "This is the last active admin" in page.post(f"/users/{admin.pk}", form).text
    assert page.post(f"/admin/accounts/user/{admin.pk}/delete/", {"post": "yes"}).status_code == 403
    assert page.post(f"/admin/accounts/user/{admin.pk}/change/", form).status_code in {200, 302}
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("admin", True)


def test_with_another_admin_an_admin_may_go(api, admin):
    make_user(Role.ADMIN)
    assert patch(api, admin, role="viewer").status_code == 200
    assert User.objects.active_admins().count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_demote_each_other_at_once_leave_one():
    first, second = make_user(Role.ADMIN), make_user(Role.ADMIN)
    start, refused = Barrier(2), []

    def demote(user):
        start.wait()
        try:
            services.change_access(user=user, role=Role.VIEWER, by=None)
        except services.LastAdminError:
            refused.append(user)
        finally:
            connection.close()

    threads = [Thread(target=demote, args=[user]) for user in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(refused), User.objects.active_admins().count()) == (1, 1)


@pytest.mark.parametrize("path", ["add/", "{pk}/password/", "{pk}/delete/"])
def test_django_admin_makes_removes_and_unlocks_nobody(page, user, path):
    answer = page.post(
        f"/admin/accounts/user/{path.format(pk=user.pk)}", {"password1": PASSWORD, "password2": PASSWORD}
    )
    assert answer.status_code in {302, 403, 404}
    user.refresh_from_db()
    assert (User.objects.count(), user.check_password(PASSWORD)) == (2, True)


def test_django_admin_leaves_role_access_and_name_alone(page, user):
    page.post(
        f"/admin/accounts/user/{user.pk}/change/",
        {"username": "other", "role": "admin", "is_active": "", "password": "x", "email": "anna@example.org"},
    )
    user.refresh_from_db()
    assert (user.username, user.role, user.is_active, user.email) == ("anna", "viewer", True, "anna@example.org")
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize("role", [role for role in ROLES if role != Role.ADMIN])
def test_users_are_for_admins_only(client_of, user, role):
    client = client_of(role)
    for path in ["/users", *WRITES]:
        assert client.post(path.format(pk=user.pk), {"role": "admin"}).status_code == 403
    for path in ["/users", "/users/new", f"/users/{user.pk}", "/api/v1/users", f"/api/v1/users/{user.pk}"]:
        assert client.get(path).status_code == 403
    user.refresh_from_db()
    assert user.role == "viewer"


def test_list_finds_filters_and_orders(page):
    make_user(Role.RED_TECH, username="zoe", first_name="Maria", email="z@example.org")
    make_user(Role.BLUE_TECH, username="abe", is_active=False)
    names = lambda query: [row.username for row in page.get(f"/users{query}").context["page"]]  # noqa: E731
    assert names("") == ["abe", "root", "zoe"]
    assert names("?search=maria") == ["zoe"]
    assert names("?role=blue_tech") == ["abe"]
    assert names("?is_active=false") == ["abe"]
    assert names("?ordering=-username") == ["zoe", "root", "abe"]
    assert "No user matches" in page.get("/users?search=nobody").text


def test_list_asks_as_often_for_many_users_as_for_few(page, django_assert_max_num_queries):
    for _ in range(30):
        make_user()
    with django_assert_max_num_queries(6):
        page.get("/users")


@pytest.mark.parametrize("path", WRITES)
def test_an_open_browser_is_not_enough_to_change_users(page, user, path):
    session = page.session
    session[CONFIRMED] -= 901
    session.save()
    users = list(User.objects.values())
    answer = page.post(path.format(pk=user.pk), {"username": "evil", "role": "admin", "is_active": "on"})
    assert answer.status_code == 403
    assert "Confirm it is you first" in answer.text
    assert (list(User.objects.values()), OneTimeLink.objects.count()) == (users, 0)


def test_password_given_once_more_opens_the_way_again(page, user):
    session = page.session
    session[CONFIRMED] -= 901
    session.save()
    referer = {"Referer": f"http://testserver/users/{user.pk}"}
    refusal = page.post(f"/users/{user.pk}/link", headers=referer)
    assert f'href="/accounts/confirm?next=/users/{user.pk}"' in refusal.text
    wrong = page.post("/accounts/confirm", {"current_password": "wrong", "next": "/users"})
    assert "That is not your current password." in wrong.text
    assert page.post(f"/users/{user.pk}/link").status_code == 403
    right = page.post("/accounts/confirm", {"current_password": PASSWORD, "next": f"/users/{user.pk}"})
    assert (right.status_code, right["Location"]) == (302, f"/users/{user.pk}")
    assert page.post(f"/users/{user.pk}/link").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("post", "/api/v1/users"), ("patch", "/api/v1/users/{pk}"), ("post", "/api/v1/users/{pk}/link")],
)
def test_an_open_browser_is_not_enough_in_the_api_either(page, user, method, path):
    body = {"username": "evil", "role": "admin"} if path.endswith("users") else {"role": "admin"}
    body = {} if path.endswith("link") else body
    session = page.session
    session[CONFIRMED] -= 901
    session.save()
    users = list(User.objects.values())
    send = getattr(page, method)
    answer = send(path.format(pk=user.pk), body, content_type="application/json")
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")
    assert "/accounts/confirm" in answer.json()["detail"]
    assert (list(User.objects.values()), OneTimeLink.objects.count()) == (users, 0)
    assert page.get("/api/v1/users").status_code == 200
    page.post("/accounts/confirm", {"current_password": PASSWORD, "next": "/users"})
    assert send(path.format(pk=user.pk), body, content_type="application/json").status_code in {200, 201}


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "\\\\evil.example"]
)
def test_confirming_never_leads_to_another_site(page, target):
    assert page.post("/accounts/confirm", {"current_password": PASSWORD, "next": target})["Location"] == "/"


def test_admin_logs_a_user_out_everywhere(page, user):
    client, token = Client(), bearer(user)
    client.force_login(user)
    assert page.post(f"/users/{user.pk}/end-sessions").status_code == 302
    assert client.get("/accounts/profile").status_code == 302
    assert token.get("/api/v1/auth/me").status_code == 401


def test_api_lists_users_without_a_trace_of_passwords(api, user):
    body = api.get("/api/v1/users?ordering=username").json()
    assert [row["username"] for row in body["results"]] == ["anna", "root"]
    assert body["results"][0] == api.get(f"/api/v1/users/{user.pk}").json()
    assert set(body["results"][0]) == {
        *("id", "username", "email", "first_name", "last_name", "role", "is_active"),
        *("has_password", "last_login", "date_joined"),
    }
    assert api.get("/api/v1/users?role=admin").json()["count"] == 1
    assert api.get("/api/v1/users?password=x").status_code == 400


def test_api_makes_a_user_with_a_link(api):
    answer = api.post("/api/v1/users", {"username": "maria", "role": "blue_lead"}, format="json")
    body = answer.json()
    assert (answer.status_code, body["username"], body["role"], body["has_password"]) == (
        201,
        "maria",
        "blue_lead",
        False,
    )
    assert Client().get(link_in(body["one_time_link"]["url"])).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "viewer"}, "username"),
        ({"username": "root"}, "username"),
        ({"username": "Root"}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": "a\x00b"}, "username"),
        ({"username": ["maria"]}, "username"),
        ({"username": "maria", "role": "owner"}, "role"),
        ({"username": "maria", "email": "nowhere"}, "email"),
        ({"username": "maria", "password": "chosen by the admin"}, "password"),
        ({"username": "maria", "is_superuser": True}, "is_superuser"),
        ({"username": "maria", "id": 1}, "id"),
    ],
)
def test_api_refuses_a_user_that_will_not_do_by_field(api, body, field):
    answer = api.post("/api/v1/users", body, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"role": "owner"}, "role"),
        ({"role": None}, "role"),
        ({"is_active": "perhaps"}, "is_active"),
        ({"password": "chosen by the admin"}, "password"),
        ({"username": "other"}, "username"),
        ({"email": "other@example.org"}, "email"),
        ({"role": "viewer", "nonsense": 1}, "nonsense"),
    ],
)
def test_api_changes_role_and_access_and_nothing_else(api, user, body, field):
    answer = patch(api, user, **body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert patch(api, user, role="red_tech", is_active=False).json()["role"] == "red_tech"
    user.refresh_from_db()
    assert (user.username, user.role, user.is_active, user.check_password(PASSWORD)) == (
        "anna",
        "red_tech",
        False,
        True,
    )


def test_api_of_unknown_users_and_other_methods_answers_in_kind(api, user):
    assert patch(api, User(pk=999999), role="viewer").status_code == 404
    assert api.delete(f"/api/v1/users/{user.pk}").status_code == 405
    assert api.put(f"/api/v1/users/{user.pk}", {}, format="json").status_code == 405


def test_api_issues_a_link_to_those_who_may_log_in(api, user):
    answer = api.post(f"/api/v1/users/{user.pk}/link")
    assert answer.status_code == 201
    assert Client().get(link_in(answer.json()["url"])).status_code == 200
    services.change_access(user=user, is_active=False, by=None)
    assert api.post(f"/api/v1/users/{user.pk}/link").status_code == 409


def test_name_that_differs_in_capitals_only_is_taken(admin):
    with pytest.raises(ValidationError, match="There is a user of this name already"):
        services.create_user(username="Root", by=admin)
