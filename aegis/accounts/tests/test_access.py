"""Doors are closed by default: what the check finds, and what the middleware refuses."""

import pytest
from django.test import Client
from django.views.generic import View

from aegis.accounts.access import is_guarded, public, require_action
from aegis.accounts.checks import every_view_is_guarded
from aegis.accounts.policy import ROLES, Role


def test_real_site_has_no_view_without_a_policy():
    assert every_view_is_guarded(None) == []


def test_check_names_each_view_that_forgot_its_policy(small_site):
    errors = every_view_is_guarded(None)
    assert [(error.id, error.msg) for error in errors] == [
        ("aegis.E001", "The view of /forgotten does not say who may see it."),
        ("aegis.E001", "The view of /api/v1/forgotten does not say who may see it."),
    ]


def test_decorator_refuses_an_action_that_the_policy_does_not_know():
    with pytest.raises(ValueError, match=r"catalog\.raed"):
        require_action("catalog.raed")


def test_misspelt_action_set_by_hand_leaves_the_view_unguarded():
    def view() -> None: ...

    view.action_required = "catalog.raed"
    assert not is_guarded(view)


def _drf_view(**attributes):
    """What DRF's `as_view` returns, as far as the check looks at it."""
    view = View.as_view()
    view.cls = type("Endpoint", (), attributes)
    return view


class AllowAny:
    """DRF's permission that lets everybody in."""


def test_drf_view_counts_as_guarded_only_behind_the_policy_permission(settings):
    settings.REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": [f"{AllowAny.__module__}.PolicyPermission"]}
    policy = type("PolicyPermission", (), {"__module__": AllowAny.__module__})
    assert is_guarded(_drf_view(permission_classes=[policy], action_required="catalog.read"))
    assert is_guarded(_drf_view(permission_classes=[policy], is_public=True))
    assert not is_guarded(_drf_view(permission_classes=[policy]))
    assert not is_guarded(_drf_view(permission_classes=[AllowAny], action_required="catalog.read"))
    assert not is_guarded(_drf_view(permission_classes=[], action_required="catalog.read"))


@pytest.mark.parametrize("role", ROLES)
def test_forgotten_view_is_closed_to_every_role(small_site, client_of, role):
    assert client_of(role).get("/forgotten").status_code == 403


def test_forgotten_endpoint_answers_with_a_problem(small_site, client_of):
    response = client_of(Role.ADMIN).get("/api/v1/forgotten")
    assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")
    assert response.json()["status"] == 403


@pytest.mark.parametrize("role", ROLES)
def test_view_lets_in_whom_the_policy_allows(small_site, client_of, role):
    client = client_of(role)
    assert client.get("/read").content == b"catalogue"
    assert client.get("/sync").status_code == (200 if role == "admin" else 403)


@pytest.mark.parametrize("role", ROLES)
def test_django_admin_opens_for_admins_only(small_site, client_of, role):
    expected = 200 if role == "admin" else 403
    client = client_of(role)
    assert client.get("/admin/").status_code == expected
    assert client.get("/admin/accounts/user/").status_code == expected


def test_public_view_is_for_everybody(small_site, client):
    assert client.get("/anybody").content == b"open"


@pytest.mark.parametrize(
    "path", ["/forgotten", "/read?x=1&y=2", "/sync", "/admin/", "/admin/login/", "/accounts/logout"]
)
def test_stranger_is_sent_to_the_login_page_and_back(small_site, client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert (
        response["Location"]
        == f"/accounts/login?next={path.replace('?', '%3F').replace('=', '%3D').replace('&', '%26')}"
    )


def test_stranger_who_posts_comes_back_to_the_start_page(small_site, client):
    assert client.post("/sync")["Location"] == "/accounts/login?next=/"


def test_stranger_in_htmx_leaves_the_page_for_the_login(small_site, client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/rules?page=2"}
    response = client.get("/read", headers=headers)
    assert (response.status_code, response["HX-Redirect"]) == (200, "/accounts/login?next=/rules%3Fpage%3D2")
    elsewhere = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/"}
    assert client.get("/read", headers=elsewhere)["HX-Redirect"] == "/accounts/login?next=/"


def test_user_who_is_switched_off_is_out_at_the_next_request(small_site, client, user):
    client.force_login(user)
    assert client.get("/read").status_code == 200
    type(user).objects.update(is_active=False)
    assert client.get("/read").status_code == 302


def test_user_who_loses_the_role_loses_the_right_at_the_next_request(small_site, client, user):
    type(user).objects.update(role=Role.ADMIN)
    client.force_login(user)
    assert client.get("/sync").status_code == 200
    type(user).objects.update(role=Role.VIEWER)
    assert client.get("/sync").status_code == 403


def test_marks_survive_further_decorators():
    def view() -> None: ...

    assert is_guarded(public(view))


def test_post_without_the_token_is_refused_and_says_so(small_site, user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    response = client.post("/accounts/logout")
    assert response.status_code == 403
    assert "This form has expired" in response.text
    assert client.get("/read").status_code == 200
