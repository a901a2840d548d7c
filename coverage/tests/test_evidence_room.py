"""Nobody fills the disk: what one person may give as evidence within 24 hours ends exactly at the limit, at once or in turn."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from coverage.evidence import vault
from coverage.evidence.room import WINDOW, NoRoom, room_of
from coverage.models import Evidence
from coverage.services.evidence import attach_evidence
from coverage.tests.factories import make_test

pytestmark = pytest.mark.django_db
MB = 1024 * 1024
AT_ONCE = 4


class Unread:
    """A body that nobody may touch."""

    def read(self, *args):
        raise AssertionError("the body was read")

    readline = read


@pytest.fixture(autouse=True)
def folder(settings, tmp_path: Path) -> Path:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "evidence": backend}
    settings.EVIDENCE_DAILY_BYTES = 100
    return tmp_path


def attach(test, size, *, by=None, ago=timedelta(0)):
    """A file without a known size, as a stream has none, given so long ago."""
    row = attach_evidence(by=by or test.created_by, test=test, side="red", file=io.BytesIO(b"x" * size), name="run.exe")
    Evidence.objects.filter(pk=row.pk).update(uploaded_at=timezone.now() - ago)
    return row


def objects(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_byte_beyond_the_limit_leaves_no_object_and_no_row_but_a_trace(folder):
    test = make_test()
    attach(test, 60)
    attach(test, 40)
    with pytest.raises(
        NoRoom, match=r"You gave 100 bytes of evidence in the last 24 hours, and 100 bytes is the limit"
    ):
        attach(test, 1)
    assert (Evidence.objects.count(), len(objects(folder))) == (2, 2)
    trace = AuditLog.objects.get(action="evidence.refused")
    assert (trace.actor_name, trace.object_id) == (test.created_by.username, str(test.pk))
    assert trace.after == {"size": 1, "used": 100, "limit": 100}


def test_a_file_whose_size_is_known_is_refused_before_it_is_stored(monkeypatch):
    monkeypatch.setattr(vault, "put", lambda *args, **options: pytest.fail("the file was stored"))
    file = SimpleUploadedFile("run.exe", b"x" * 101)
    test = make_test()
    with pytest.raises(vault.TooLarge, match="101 bytes are more than one person may give as evidence in 24 hours"):
        attach_evidence(by=test.created_by, test=test, side="red", file=file, name="run.exe")


def test_what_is_older_than_a_day_makes_room_at_the_moment_that_was_told():
    test = make_test()
    for size, hours in ((30, 25), (30, 20), (30, 10), (40, 1)):
        attach(test, size, ago=timedelta(hours=hours))
    assert room_of(test.created_by).used == 100
    with pytest.raises(NoRoom) as refusal:
        attach(test, 50)
    assert refusal.value.wait == pytest.approx(14 * 3600, abs=60)
    with pytest.raises(NoRoom) as refusal:
        attach(test, 30)
    assert refusal.value.wait == pytest.approx(4 * 3600, abs=60)
    later = timedelta(seconds=refusal.value.wait)
    for row in Evidence.objects.all():
        Evidence.objects.filter(pk=row.pk).update(uploaded_at=row.uploaded_at - later)
    assert attach(test, 30).size == 30


def test_what_others_give_takes_nobody_s_room():
    admin = make_user("admin")
    test = make_test()
    attach(test, 100)
    assert attach(test, 100, by=admin).size == 100


def test_without_a_limit_there_is_room_for_all(settings):
    settings.EVIDENCE_DAILY_BYTES = 0
    test = make_test()
    assert [attach(test, 90).size, attach(test, 90).size] == [90, 90]
    assert room_of(test.created_by) is None


def test_evidence_of_an_archived_test_still_counts():
    test = make_test()
    attach(test, 100)
    type(test).objects.filter(pk=test.pk).update(archived_at=timezone.now())
    with pytest.raises(NoRoom):
        attach(make_test(by=test.created_by), 1)


def test_the_api_says_how_much_is_used_and_when_to_come_again(folder):
    test = make_test()
    attach(test, 90, ago=WINDOW - timedelta(hours=2))
    client, path = bearer(test.created_by), f"/api/v1/tests/{test.pk}/evidence"
    sent = [SimpleUploadedFile("a.log", b"x" * 5), SimpleUploadedFile("b.log", b"x" * 20)]
    answer = client.post(path, {"file": sent})
    assert (answer.status_code, answer["Content-Type"]) == (429, "application/problem+json")
    assert int(answer["Retry-After"]) == pytest.approx(2 * 3600, abs=60)
    detail = answer.json()["detail"]
    assert detail.startswith(
        "You gave 95 bytes of evidence in the last 24 hours, and 100 bytes is the limit: there is room for 20 bytes more"
    )
    assert detail.endswith("UTC on. Kept before it: a.log.")
    assert (Evidence.objects.count(), len(objects(folder))) == (2, 2)


@pytest.mark.parametrize(("announced", "status"), [(3 * MB, 413), (3 * MB // 2, 429)], ids=["never fits", "not today"])
def test_the_api_refuses_by_the_announced_length_unread(settings, announced, status):
    settings.EVIDENCE_DAILY_BYTES = 2 * MB
    test = make_test()
    attach(test, MB)
    unread = {"CONTENT_LENGTH": str(announced), "wsgi.input": Unread()}
    path = f"/api/v1/tests/{test.pk}/evidence"
    answer = bearer(test.created_by).post(path, content_type="multipart/form-data; boundary=x", **unread)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert AuditLog.objects.filter(action="evidence.refused").exists() == (status == 429)


@pytest.mark.parametrize("headers", [{"HX-Request": "true"}, {}], ids=["script", "form"])
def test_the_page_refuses_by_the_announced_length_unread(client, settings, headers):
    settings.EVIDENCE_DAILY_BYTES = 2 * MB
    test = make_test()
    attach(test, MB)
    client.force_login(test.created_by)
    unread = {"CONTENT_LENGTH": str(3 * MB // 2), "wsgi.input": Unread()}
    path = f"/tests/{test.pk}/evidence"
    answer = client.post(path, content_type="multipart/form-data; boundary=x", headers=headers, **unread)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) == pytest.approx(24 * 3600, abs=60)
    assert "You gave 1.0 MB of evidence in the last 24 hours, and 2.0 MB is the limit" in answer.content.decode()


def test_the_page_says_what_was_given_beside_the_files_and_anew_after_each(client):
    test = make_test()
    attach(test, 60)
    client.force_login(test.created_by)
    shown = 'You gave <span class="num">{}\xa0bytes</span> of 100\xa0bytes in 24 hours'
    assert client.get(f"/tests/{test.pk}").content.decode().count(shown.format(60)) == 2
    sent = {"side": "red", "files": [SimpleUploadedFile("a.log", b"x" * 40)]}
    part = client.post(f"/tests/{test.pk}/evidence", sent, headers={"HX-Request": "true"}).content.decode()
    assert part.count(shown.format(100)) == 2
    sent = {"side": "red", "files": [SimpleUploadedFile("b.log", b"x")]}
    whole = client.post(f"/tests/{test.pk}/evidence", sent)
    assert (whole.status_code, "Retry-After" in whole) == (429, True)
    assert "and 100 bytes is the limit: there is room for 1 byte more" in whole.content.decode()


def test_the_form_still_asks_for_its_token():
    test = make_test()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(test.created_by)
    sent = {"side": "red", "files": [SimpleUploadedFile("a.log", b"x")]}
    assert strict.post(f"/tests/{test.pk}/evidence", sent).status_code == 403
    assert not Evidence.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_uploads_at_once_by_one_person_never_pass_the_limit(folder):
    person = make_user("admin")
    tests = [make_test() for _ in range(AT_ONCE)]
    start = Barrier(AT_ONCE)

    def give(test) -> list[bool]:
        start.wait(timeout=60)
        try:
            return [was_kept(test, person) for _ in range(5)]
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        kept = sum(sum(answers) for answers in pool.map(give, tests))
    assert kept == Evidence.objects.count() == len(objects(folder)) == 9
    assert room_of(person).used == 99
    assert AuditLog.objects.filter(action="evidence.refused").count() == 5 * AT_ONCE - 9


def was_kept(test, person) -> bool:
    try:
        attach_evidence(by=person, test=test, side="red", file=io.BytesIO(b"x" * 11), name="run.exe")
    except NoRoom:
        return False
    return True
