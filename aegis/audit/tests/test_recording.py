"""`record`: who, from where and what; in the same transaction, or not at all."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from aegis.accounts.models import User
from aegis.accounts.tests.factories import make_user
from aegis.audit import recording
from aegis.audit.models import AuditHead, AuditLog, Difference
from aegis.audit.recording import AuditBroken, Subject, record
from aegis.audit.visit import Visit, visiting


def request_of(user, **meta):
    request = RequestFactory().get("/", **meta)
    request.user = user
    return request


def test_row_tells_who_from_where_and_what(db):
    maria = make_user("admin", username="maria")
    anna = make_user(username="anna")
    visit = Visit.of(request_of(maria, REMOTE_ADDR="192.0.2.7"))
    with visiting(visit):
        row = record(None, "user.praised", anna, before={"n": 1}, after={"n": 2}, note="well done")
    row.refresh_from_db()
    assert (row.actor_id, row.actor_name, row.actor_role) == (maria.pk, "maria", "admin")
    assert (row.ip, row.request_id) == ("192.0.2.7", visit.id)
    assert (row.object_type, row.object_id, row.object_label) == ("accounts.user", str(anna.pk), "anna")
    assert (row.before, row.after, row.note) == ({"n": 1}, {"n": 2}, "well done")
    assert row.differences == [Difference("n", "1", "2")]


def test_actor_that_is_named_counts_more_than_who_is_logged_in(db):
    anna, maria = make_user(username="anna"), make_user(username="maria")
    with visiting(Visit.of(request_of(maria))):
        assert record(anna, "test").actor_name == "anna"


def test_outside_of_requests_it_is_the_system(db):
    row = record(None, "test")
    assert (row.actor_id, row.actor_name, row.actor_role, row.ip, row.request_id) == (None, "system", "system", "", "")


def test_row_outlives_its_user(db):
    anna = make_user(username="anna")
    row = record(anna, "test")
    number = anna.pk
    anna.delete()
    row.refresh_from_db()
    assert (row.actor_id, row.actor_name, row.actor_role) == (number, "anna", "viewer")


def test_time_is_the_database_clock(db):
    with connection.cursor() as cursor:
        now = {"postgresql": "clock_timestamp()", "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"}
        cursor.execute(f"SELECT {now[connection.vendor]}", [])
        told = cursor.fetchone()[0]
    at = told if isinstance(told, datetime) else datetime.fromisoformat(told).replace(tzinfo=UTC)
    assert timedelta(0) <= record(None, "test").at - at < timedelta(seconds=5)


def test_change_and_row_stand_or_fall_together(transactional_db):
    with transaction.atomic():
        make_user(username="anna")
        assert AuditLog.objects.get().action == "user.created"
        transaction.set_rollback(True)
    assert (AuditLog.objects.count(), AuditHead.objects.get().size) == (0, 0)


@pytest.fixture
def broken(monkeypatch):
    """A trail to which nothing can be added."""

    def refuse(facts):
        raise AuditBroken("made up")

    monkeypatch.setattr(recording, "_append", refuse)


def test_change_that_cannot_be_recorded_is_no_change(transactional_db, broken):
    with pytest.raises(AuditBroken):
        User.objects.create_user("anna")
    assert not User.objects.exists()


def test_change_is_undone_even_if_somebody_swallows_the_error(transactional_db, broken):
    with transaction.atomic():
        User.objects.bulk_create([User(username="anna")])
        with pytest.raises(AuditBroken):
            record(None, "test")
    assert not User.objects.exists()


def test_login_that_cannot_be_recorded_is_no_login(transactional_db, client, monkeypatch):
    make_user(username="anna", password="correct horse battery")

    def refuse(facts):
        raise AuditBroken("made up")

    monkeypatch.setattr(recording, "_append", refuse)
    client.raise_request_exception = False
    answer = client.post("/accounts/login", {"username": "anna", "password": "correct horse battery"})
    assert answer.status_code == 500
    assert client.get("/").status_code == 302


def test_values_become_json_without_floats(db):
    odd = {
        "float": 1.5,
        "decimal": Decimal("1.10"),
        "day": date(2026, 1, 2),
        "uuid": UUID(int=0),
        "tuple": (1, "a"),
        "set": {"b", "a"},
        "nul": "a\x00b",
        "half": "\ud800",
        3: None,
    }
    row = record(None, "test", after=odd)
    row.refresh_from_db()
    assert row.after == {
        "float": "1.5",
        "decimal": "1.10",
        "day": "2026-01-02",
        "uuid": "00000000-0000-0000-0000-000000000000",
        "tuple": [1, "a"],
        "set": ["a", "b"],
        "nul": "a\ufffdb",
        "half": "?",
        "3": None,
    }


def test_append_takes_few_statements_while_all_others_wait(db):
    record(None, "test")
    with CaptureQueriesContext(connection) as queries:
        record(None, "test", Subject("thing", "1"), before={"n": 1}, after={"n": 2})
    kinds = [query["sql"].split()[0] for query in queries]
    assert kinds == {"postgresql": ["SELECT", "WITH"], "sqlite": ["SELECT", "INSERT", "UPDATE"]}[connection.vendor]


def test_texts_without_end_are_cut(db):
    row = record(None, "test", Subject("thing", "i" * 999, "l" * 999), after={"text": "x" * 9999}, note="n" * 9999)
    row.refresh_from_db()
    lengths = [len(text) for text in (row.object_id, row.object_label, row.after["text"], row.note)]
    assert lengths == [64, 255, 4000, 4000]
    assert row.note.endswith("…")


@pytest.mark.parametrize(
    ("proxies", "meta", "ip"),
    [
        (0, {"REMOTE_ADDR": "192.0.2.7"}, "192.0.2.7"),
        (0, {"REMOTE_ADDR": "192.0.2.7", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}, "192.0.2.7"),
        (1, {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "1.2.3.4, 203.0.113.9"}, "203.0.113.9"),
        (0, {"REMOTE_ADDR": "2001:db8::1"}, "2001:db8::1"),
        (0, {"REMOTE_ADDR": ""}, ""),
    ],
)
def test_address_is_what_our_own_proxy_saw(settings, proxies, meta, ip):
    settings.NUM_PROXIES = proxies
    assert Visit.of(request_of(None, **meta)).ip == ip
