"""What is recorded: logins, refusals, changes of users and sources, imports."""

from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.test import Client

from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import PASSWORD, bearer, make_user
from aegis.audit.models import AuditLog
from aegis.audit.redaction import REDACTED
from aegis.audit.verification import Verification
from imports.life import free_dead_runs
from imports.models import DataSource, ImportRun
from imports.services import execute, request_import
from imports.tests.factories import make_run

WRONG = urlencode({"username": "anna", "password": "wrong"})
ACCESS = {"method": "GET", "path": "/audit", "requires": "audit.read"}


def told(*names: str, action: str = "") -> list[tuple[object, ...]]:
    """Columns of the rows so far, oldest first, of one action if it is named."""
    rows = AuditLog.objects.order_by("id")
    return list((rows.filter(action__startswith=action) if action else rows).values_list("action", *names))


def test_login_and_logout_by_the_form(client, db):
    anna = make_user(username="anna")
    answer = client.post("/accounts/login", {"username": "anna", "password": PASSWORD})
    assert answer.status_code == 302
    client.post("/accounts/logout")
    expected = ("anna", "viewer", "127.0.0.1", str(anna.pk))
    names = ("actor_name", "actor_role", "ip", "object_id")
    assert told(*names, action="user.log") == [("user.login", *expected), ("user.logout", *expected)]
    assert AuditLog.objects.get(action="user.login").request_id == answer["X-Request-ID"]


def test_login_and_logout_by_the_api(client, db):
    make_user(username="anna")
    tokens = client.post("/api/v1/auth/login", {"username": "anna", "password": PASSWORD}, "application/json").json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert client.post("/api/v1/auth/logout", {}, "application/json", headers=headers).status_code == 204
    assert told("actor_name", action="user.log") == [("user.login", "anna"), ("user.logout", "anna")]


@pytest.mark.parametrize("path", ["/accounts/login", "/api/v1/auth/login"])
@pytest.mark.parametrize("name", ["anna", "nobody", "gone"])
def test_failed_login_keeps_the_name_and_never_the_password(client, db, path, name):
    make_user(username="anna")
    make_user(username="gone", is_active=False)
    form = urlencode({"username": name, "password": "canary-7f3a"})
    client.post(path, form, "application/x-www-form-urlencoded")
    failed = AuditLog.objects.get(action="user.login_failed")
    assert (failed.actor_name, failed.object_label, failed.object_id) == ("", name, "")
    assert "canary" not in str(vars(failed))


def test_failed_logins_cost_the_same_whether_the_user_exists(client, db, django_assert_num_queries):
    make_user(username="anna")

    def rows_of(name):
        before = AuditLog.objects.count()
        client.post("/accounts/login", {"username": name, "password": "wrong"})
        return AuditLog.objects.count() - before

    assert rows_of("anna") == rows_of("nobody") == 1


@pytest.mark.parametrize("path", ["/accounts/login", "/api/v1/auth/login"])
def test_tries_that_the_throttle_refuses_unread_do_not_fill_the_trail(client, db, path):
    tries = [client.post(path, WRONG, "application/x-www-form-urlencoded").status_code for _ in range(9)]
    assert tries[5:] == [429] * 4
    assert AuditLog.objects.filter(action="user.login_failed").count() == 5


def test_refusals_of_strangers_do_not_fill_the_trail(db):
    stranger = Client(enforce_csrf_checks=True)
    assert stranger.post("/accounts/login", {"username": "anna", "password": "wrong"}).status_code == 403
    assert not AuditLog.objects.exists()


def test_refused_page_is_recorded_once_with_what_it_asked_for(client_of):
    viewer = client_of(Role.VIEWER)
    assert viewer.get("/audit?token=canary").status_code == 403
    names = ("actor_name", "object_type", "object_id", "object_label", "after")
    assert told(*names, action="access") == [
        ("access.denied", "a viewer", "route", "audit:log-list", "GET /audit", ACCESS)
    ]


def test_refused_endpoint_is_recorded_once_by_token_and_by_session(client_of, db):
    lead = bearer(make_user(Role.RED_LEAD, username="lead"))
    assert lead.get("/api/v1/audit-logs").status_code == 403
    assert client_of(Role.VIEWER).get("/api/v1/audit-logs").status_code == 403
    assert told("actor_name", "object_label", action="access") == [
        ("access.denied", "lead", "GET /api/v1/audit-logs"),
        ("access.denied", "a viewer", "GET /api/v1/audit-logs"),
    ]


def test_form_without_its_token_is_a_refusal(db):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(username="anna"))
    assert client.post("/accounts/logout").status_code == 403
    assert told("actor_name", "object_label", action="access") == [("access.denied", "anna", "POST /accounts/logout")]


def test_what_is_allowed_and_what_is_missing_is_no_refusal(client_of):
    admin = client_of(Role.ADMIN)
    for path in ("/audit", "/api/v1/audit-logs", "/nowhere", "/accounts/login"):
        admin.get(path)
    assert told(action="access") == []


def test_answers_carry_a_number_that_the_client_cannot_choose(client):
    answer = client.get("/health", headers={"X-Request-ID": "mine"})
    assert len(answer["X-Request-ID"]) == 32


def test_change_of_a_user_in_the_django_admin_is_recorded(client_of):
    admin = client_of(Role.ADMIN)
    anna = make_user(username="anna", email="old@example.org")
    form = {"email": "new@example.org", "first_name": "Anna", "last_name": ""}
    assert admin.post(f"/admin/accounts/user/{anna.pk}/change/", form).status_code == 302
    (row,) = AuditLog.objects.filter(action="user.changed")
    assert (row.actor_name, row.actor_role, row.object_label) == ("a admin", "admin", "anna")
    assert row.before == {"email": "old@example.org", "first_name": ""}
    assert row.after == {"email": "new@example.org", "first_name": "Anna"}


def test_every_saved_change_of_a_user_is_recorded(db):
    anna = make_user(username="anna")
    anna.role, anna.is_active = Role.BLUE_LEAD, False
    anna.save()
    anna.is_active = True
    anna.save(update_fields=["is_active"])
    anna.set_password("another password")
    anna.save()
    anna.save()
    anna.delete()
    assert told("before", "after", action="user")[1:] == [
        ("user.role_changed", {"role": "viewer"}, {"role": "blue_lead"}),
        ("user.deactivated", {"is_active": True}, {"is_active": False}),
        ("user.activated", {"is_active": False}, {"is_active": True}),
        ("user.password_changed", {"password": REDACTED}, {"password": REDACTED}),
        ("user.deleted", told("before", action="user.deleted")[0][1], {}),
    ]
    assert told("object_label", action="user.created") == [("user.created", "anna")]
    assert told("object_label", action="user.deleted") == [("user.deleted", "anna")]


def test_field_that_is_not_saved_is_no_change(db):
    anna = make_user(username="anna")
    anna.role = Role.ADMIN
    anna.save(update_fields=["last_login"])
    assert told(action="user.role") == []


def test_renewed_hash_is_no_new_password(db, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    anna = make_user(username="anna")
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    assert anna.check_password(PASSWORD)
    assert told(action="user.password") == [("user.password_rehashed",)]


def test_first_admin_is_recorded_without_the_password(db, capsys):
    call_command("seed_admin", username="root")
    password = capsys.readouterr().out.rsplit(maxsplit=1)[-1]
    (row,) = AuditLog.objects.filter(action="user.created")
    assert (row.actor_name, row.object_label, row.after["role"]) == ("system", "root", "admin")
    assert password not in str(vars(row))
    assert User.objects.get().password not in str(vars(row))


def test_switched_source_is_recorded(db):
    source = DataSource.objects.get(slug="sigma")
    source.enabled = False
    source.save()
    source.label = "Another label"
    source.save()
    expected = ("source.disabled", str(source.pk), {"enabled": True}, {"enabled": False})
    assert told("object_id", "before", "after") == [expected]


def test_import_that_failed_is_recorded_with_its_reason(db, tmp_path):
    anna = make_user(Role.ADMIN, username="anna")
    run = execute(request_import("sigma", by=anna, trigger="button"), local=str(tmp_path / "nowhere"))
    (row,) = AuditLog.objects.filter(action="import.failed")
    assert (row.actor_name, row.object_type, row.object_id) == ("anna", "imports.importrun", str(run.pk))
    assert (row.after["source"], row.after["trigger"], row.after["error"]) == ("sigma", "button", run.error)


def test_run_whose_process_died_is_recorded_once(db):
    run = make_run(status=ImportRun.Status.RUNNING, worker="elsewhere:1", heartbeat_at="2026-01-01T00:00:00Z")
    free_dead_runs()
    free_dead_runs()
    assert told("object_id", action="import") == [("import.abandoned", str(run.pk))]


def test_trail_verifies_after_all_of_this(client_of):
    client_of(Role.VIEWER).get("/audit")
    client_of(Role.ADMIN).get("/audit.csv")
    assert list(Verification().flaws()) == []
