"""The trail as a page, as CSV, in the API and in the Django admin: for admins, to read."""

import csv
import io

import pytest

from aegis.accounts.policy import ROLES, Role
from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from aegis.audit.recording import Subject, record

PATHS = ["/audit", "/audit.csv", "/api/v1/audit-logs", "/admin/audit/auditlog/"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", PATHS)
def test_trail_is_for_admins(client_of, role, path):
    assert client_of(role).get(path).status_code == (200 if role == "admin" else 403)


@pytest.mark.parametrize("path", PATHS)
def test_strangers_are_sent_away(client, db, path):
    assert client.get(path).status_code == (401 if path.startswith("/api") else 302)


@pytest.fixture
def admin(client_of):
    return client_of(Role.ADMIN)


def test_page_shows_what_changed_and_escapes_it(admin):
    record(
        None, "test.changed", Subject("thing", "7", "<b>Thing</b>"), before={"n": "<i>old"}, after={"n": "new", "m": 1}
    )
    page = admin.get("/audit").text
    assert "&lt;b&gt;Thing&lt;/b&gt;" in page
    assert "<del>&lt;i&gt;old</del> <ins>new</ins>" in page
    assert "2 fields" in page
    assert "python manage.py verify_audit" in page


def numbers(admin, query):
    answer = admin.get(f"/api/v1/audit-logs?{query}")
    assert answer.status_code == 200, answer.json()
    return [row["object_id"] for row in answer.json()["results"] if row["action"].startswith("test")]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("actor=anna", ["2"]),
        ("action=test.made", ["1"]),
        ("object_type=thing", ["3", "1"]),
        ("object_type=thing&object_id=3", ["3"]),
        ("search=needle", ["2"]),
        ("search=test.&ordering=id", ["1", "2", "3"]),
        ("since=2000-01-01&until=2999-12-31", ["3", "2", "1"]),
        ("since=2999-01-01", []),
        ("until=2000-01-01", []),
    ],
)
def test_filters_choose_alike_in_page_api_and_export(admin, query, expected):
    record(None, "test.made", Subject("thing", "1"))
    record(make_user(username="anna"), "test.seen", Subject("other", "2", "a needle"))
    record(None, "test.seen", Subject("thing", "3"))
    assert numbers(admin, query) == expected
    exported = list(
        csv.DictReader(io.StringIO(admin.get(f"/audit.csv?{query}".replace("&ordering=id", "")).getvalue().decode()))
    )
    assert [row["object_id"] for row in exported if row["action"].startswith("test")] == sorted(expected)
    page = admin.get(f"/audit?{query}").context["page"]
    assert {row.object_id for row in page if row.action.startswith("test")} == set(expected)


@pytest.mark.parametrize(
    "query", ["since=yesterday", "until=2026-13-01", "unknown=1", "ordering=mac", "search=" + "x" * 201]
)
def test_api_refuses_what_it_does_not_understand(admin, query):
    answer = admin.get(f"/api/v1/audit-logs?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_export_refuses_filters_that_it_cannot_read(admin):
    assert admin.get("/audit.csv?since=yesterday").status_code == 400
    assert not AuditLog.objects.filter(action="audit.exported").exists()


def test_export_is_a_row_itself(admin):
    admin.get("/audit.csv?action=user.login").getvalue()
    (row,) = AuditLog.objects.filter(action="audit.exported")
    assert (row.actor_name, row.after) == ("a admin", {"format": "csv", "filters": {"action": "user.login"}})


def test_export_is_streamed_and_runs_no_formula(admin):
    record(None, "test.evil", Subject("thing", "1", "=cmd|' /C calc'!A0"), note="+1\r\n@SUM(A1)", after={"n": 1})
    answer = admin.get("/audit.csv?action=test.evil")
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="aegis-audit-')
    (row,) = csv.DictReader(io.StringIO(answer.getvalue().decode(), newline=""))
    assert row["object_label"] == "'=cmd|' /C calc'!A0"
    assert row["note"] == "'+1\r\n@SUM(A1)"
    assert row["after"] == '{"n":1}'
    assert row["mac"] == AuditLog.objects.get(action="test.evil").mac


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_writes_through_the_api(db, method):
    assert getattr(bearer(make_user(Role.ADMIN)), method)("/api/v1/audit-logs").status_code == 405


def test_django_admin_shows_rows_and_changes_none(admin):
    record(None, "test.changed", Subject("thing", "7"), after={"n": 1})
    number = AuditLog.objects.get(action="test.changed").id
    assert admin.get(f"/admin/audit/auditlog/{number}/change/").status_code == 200
    assert admin.post(f"/admin/audit/auditlog/{number}/change/", {"note": "edited"}).status_code == 403
    assert admin.post(f"/admin/audit/auditlog/{number}/delete/", {"post": "yes"}).status_code == 403
    assert admin.get("/admin/audit/auditlog/add/").status_code == 403


def test_page_costs_the_same_for_one_row_and_for_fifty(admin, django_assert_max_num_queries):
    for n in range(60):
        record(None, "test.made", Subject("thing", str(n)), after={"n": n})
    with django_assert_max_num_queries(12):
        page = admin.get("/audit")
    assert len(page.context["page"]) == 50


def test_htmx_gets_the_list_and_the_export_of_it(admin):
    part = admin.get("/audit?action=user.login", headers={"HX-Request": "true"}).text
    assert part.strip().startswith('<div id="list"')
    assert 'href="/audit?action=user.login&amp;export=csv"' in part
