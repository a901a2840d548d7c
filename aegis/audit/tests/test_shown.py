"""The trail in words: kinds, roles and actions as people say them, and links to what a row is about; files keep the codes."""

import csv
import io

import pytest
from django.urls import reverse

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from aegis.audit.filters import AuditLogFilter
from aegis.audit.models import AuditLog
from aegis.audit.recording import Subject, record
from aegis.audit.shown import shown_rows
from compliance.tests.factories import make_framework
from coverage.models import Evidence
from coverage.tests.factories import make_campaign, make_layer, make_test
from imports.tests.factories import make_run, make_source
from intel.tests.factories import make_feed, make_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(db):
    return make_user(Role.ADMIN, username="root")


def shown(reader, row):
    (one,) = shown_rows(reader, [row])
    return one


def everything(by):
    """One object of each kind that the trail tells of and that has a page."""
    test = make_test("T9001", by=by)
    return {
        "user": make_user(Role.RED_TECH),
        "test": test,
        "campaign": make_campaign("T9001", by=by),
        "layer": make_layer(by, "T9001"),
        "technique": test.technique,
        "data source": make_source("nist"),
        "import run": make_run(make_source("atomic")),
        "feed": make_feed(),
        "intel item": make_item(),
        "compliance framework": make_framework(),
    }


def test_each_kind_goes_by_its_name_and_leads_to_a_page_that_opens(admin, client):
    client.force_login(admin)
    for kind, thing in everything(admin).items():
        one = shown(admin, record(admin, "test.made", thing))
        assert (one.kind, one.name, one.url) == (kind, str(thing), thing.get_absolute_url())
        assert client.get(one.url).status_code == 200, kind


def test_what_has_no_page_or_is_gone_or_was_never_there_has_no_link(admin):
    gone = make_layer(admin)
    deleted = record(admin, "layer.deleted", gone)
    gone.delete()
    names = [
        (deleted, "layer", "A layer"),
        (record(None, "user.login_failed", Subject("accounts.user", "", "nobody")), "user", "nobody"),
        (record(admin, "test.made", Subject("coverage.test", "ABC")), "test", "ABC"),
        (record(admin, "access.denied", Subject("route", "audit:log-list", "GET /audit")), "address", "GET /audit"),
        (record(admin, "thing.made", Subject("old.thing", "7", "Thing")), "old.thing", "Thing"),
        (record(admin, "list.exported", Subject("list", "rules")), "list", "rules"),
    ]
    assert [(one.kind, one.name, one.url) for one in shown_rows(admin, [row for row, *_ in names])] == [
        (kind, name, "") for _, kind, name in names
    ]


def test_nobody_is_led_to_what_they_may_not_open(admin):
    viewer, owner = make_user(Role.VIEWER), make_user(Role.RED_TECH)
    of_user, of_layer = record(admin, "user.made", viewer), record(admin, "layer.uploaded", make_layer(owner))
    assert [one.url for one in shown_rows(viewer, [of_user, of_layer])] == ["", ""]
    assert shown(admin, of_user).url == f"/users/{viewer.pk}"
    assert shown(admin, of_layer).url == ""
    assert shown(owner, of_layer).url == f"/layers/{of_layer.object_id}"


@pytest.mark.parametrize(
    ("role", "words"), [("red_tech", "Red tech"), ("admin", "Admin"), ("system", "No person"), ("pilot", "pilot")]
)
def test_roles_are_in_their_words(admin, role, words):
    assert shown(admin, AuditLog(id=1, action="user.login", actor_role=role)).role == words


def test_page_is_in_words_and_keeps_the_codes_in_the_details(admin, client):
    client.force_login(admin)
    anna = make_user(Role.RED_TECH, username="anna")
    record(anna, "user.role_changed", anna, before={"role": "viewer"}, after={"role": "red_tech"})
    page = client.get("/audit?action=user.role_changed").text
    assert f'<a href="/users/{anna.pk}">anna</a>' in page
    assert 'title="user.role_changed">User role changed</a>' in page
    assert '<span class="sub">Red tech</span>' in page
    assert f"<dd>user.role_changed of accounts.user {anna.pk} by red_tech</dd>" in page
    assert '<option value="user.role_changed" selected>User role changed</option>' in page
    assert '<option value="accounts.user">user</option>' in page


def test_files_keep_the_codes(admin, client):
    client.force_login(admin)
    record(admin, "user.made", admin)
    (row,) = csv.DictReader(io.StringIO(client.get("/audit.csv?action=user.made").getvalue().decode()))
    assert (row["action"], row["object_type"], row["object_id"], row["actor_role"]) == (
        "user.made",
        "accounts.user",
        str(admin.pk),
        "admin",
    )


@pytest.mark.parametrize("text", ["user.role_changed", "User role changed", "role changed"])
def test_an_action_is_found_by_its_code_and_by_its_words(admin, text):
    record(admin, "user.role_changed", admin)
    found = AuditLogFilter({"search": text}, AuditLog.objects.all()).qs
    assert [row.action for row in found] == ["user.role_changed"]


def test_words_cost_one_query_for_each_kind_of_object(admin, django_assert_num_queries):
    things = list(everything(admin).values())
    rows = [record(admin, "test.made", thing) for thing in things] * 5
    with django_assert_num_queries(len(things)):
        shown_rows(admin, rows)


def test_evidence_leads_to_its_test_and_not_to_the_file(admin):
    test = make_test("T9001")
    piece = Evidence(test=test, side="red", original_name="a.txt")
    assert piece.get_absolute_url() == reverse("coverage:test-detail", args=[test.pk]) + "#files-red"
    assert piece.download_url == reverse("coverage:evidence-download", args=[piece.pk])
