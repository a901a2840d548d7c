"""Evidence in the API: uploads that are what was sent, and downloads that no browser shows or runs."""

import io
from hashlib import sha256
from pathlib import Path

import pytest
from django.core import signing
from django.test import Client
from rest_framework.test import APIClient

from aegis.accounts.policy import ROLES
from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from coverage.evidence import downloads, vault
from coverage.models import Evidence
from coverage.tests.factories import make_test

pytestmark = pytest.mark.django_db
CONTENT = b"<script>alert(1)</script> the bytes of something dangerous"
EVIL = 'a"b\r\nSet-Cookie: x=1\u202egnp.html'


@pytest.fixture(autouse=True)
def folder(settings, tmp_path: Path) -> Path:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "evidence": backend}
    return tmp_path


def named(content=CONTENT, name="run.exe"):
    file = io.BytesIO(content)
    file.name = name
    return file


def upload(client, test, *files, **fields):
    return client.post(f"/api/v1/tests/{test.pk}/evidence", {"file": files or [named()], **fields})


def given(test=None, **options):
    test = test or make_test()
    return Evidence.objects.get(pk=upload(bearer(test.created_by), test, named(**options)).json()["id"])


def objects(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def refused(response, status, *fields):
    """The problem that a response is, which names exactly these fields; fails if it is anything else."""
    assert response.status_code == status, response.content[:500]
    assert response["Content-Type"] == "application/problem+json"
    assert sorted(response.json().get("errors", {})) == sorted(fields), response.json()
    return response.json()


def test_an_upload_answers_with_what_was_kept(folder):
    test = make_test(by=make_user("red_tech", username="maria"))
    hash_of_it = sha256(CONTENT).hexdigest()
    response = upload(bearer(test.created_by), test, caption="What ran", sha256=hash_of_it.upper())
    assert response.status_code == 201
    row = response.json()
    assert (row["test"], row["side"], row["caption"]) == (test.pk, "red", "What ran")
    assert (row["original_name"], row["size"], row["sha256"]) == ("run.exe", len(CONTENT), hash_of_it)
    assert row["uploaded_by"] == "maria"
    assert "key" not in row
    assert [path.read_bytes() for path in objects(folder)] == [CONTENT]
    detail = bearer().get(f"/api/v1/tests/{test.pk}").json()
    assert detail["evidence"] == [row]


def test_several_files_at_once_are_a_list():
    test = make_test()
    rows = upload(bearer(test.created_by), test, named(b"one", "1.log"), named(b"", "2.log")).json()
    assert [(row["original_name"], row["size"]) for row in rows] == [("1.log", 3), ("2.log", 0)]


@pytest.mark.parametrize(("role", "side"), [("red_tech", "red"), ("blue_tech", "blue"), ("admin", "red")])
def test_the_side_is_that_of_the_role_unless_told(role, side):
    test = make_test(by=make_user(role))
    assert upload(bearer(test.created_by), test).json()["side"] == side
    assert upload(bearer(test.created_by), test, side="blue").json()["side"] == "blue"


def test_bytes_that_differ_from_their_hash_are_not_kept(folder):
    test = make_test()
    problem = refused(upload(bearer(test.created_by), test, sha256="0" * 64), 409)
    assert sha256(CONTENT).hexdigest() in problem["detail"]
    assert (Evidence.objects.count(), objects(folder)) == (0, [])


@pytest.mark.parametrize(
    ("files", "fields", "named_fields"),
    [
        ([], {"file": "just text"}, ["file"]),
        ([], {"caption": "nothing"}, ["file"]),
        ([named()], {"side": "green"}, ["side"]),
        ([named()], {"sha256": "abc"}, ["sha256"]),
        ([named()], {"caption": "x" * 256}, ["caption"]),
        ([named()], {"caption": "a\0b"}, ["caption"]),
        ([named()], {"uploaded_by": "maria"}, ["uploaded_by"]),
        ([named(), named(b"x")], {"sha256": "0" * 64}, ["sha256"]),
    ],
)
def test_forms_that_do_not_hold_are_refused_by_field(files, fields, named_fields, folder):
    test = make_test()
    body = fields if not files else {"file": [named(b"x") for _ in files], **fields}
    refused(bearer(test.created_by).post(f"/api/v1/tests/{test.pk}/evidence", body), 400, *named_fields)
    assert objects(folder) == []


def test_a_body_that_is_no_form_is_refused():
    test = make_test()
    client, path = bearer(test.created_by), f"/api/v1/tests/{test.pk}/evidence"
    refused(client.post(path, {"file": "x"}, format="json"), 415)
    refused(client.generic("POST", path, b"garbage", content_type="multipart/form-data; boundary=x"), 400, "file")
    refused(client.generic("POST", path, b"garbage", content_type="multipart/form-data"), 400)


def test_a_file_above_the_limit_is_413(settings, folder):
    settings.EVIDENCE_MAX_BYTES = len(CONTENT) - 1
    test = make_test()
    refused(upload(bearer(test.created_by), test), 413)
    assert (Evidence.objects.count(), objects(folder)) == (0, [])


def test_a_body_above_the_limit_is_refused_before_it_is_read(settings):
    settings.EVIDENCE_MAX_BYTES = 1024 * 1024

    class Unread:
        def read(self, *args):
            raise AssertionError("the body was read")

        readline = read

    test = make_test()
    length = {"CONTENT_LENGTH": str(2 * 1024 * 1024), "wsgi.input": Unread()}
    path = f"/api/v1/tests/{test.pk}/evidence"
    response = bearer(test.created_by).post(path, content_type="multipart/form-data; boundary=x", **length)
    assert "1 MB" in refused(response, 413)["detail"]


def test_a_test_has_room_for_so_many_files(settings):
    settings.EVIDENCE_MAX_FILES = 1
    test = make_test()
    assert upload(bearer(test.created_by), test).status_code == 201
    refused(upload(bearer(test.created_by), test), 400, "file")


def test_files_after_one_that_is_refused_are_not_kept_and_those_before_it_are_told(settings, folder):
    settings.EVIDENCE_MAX_BYTES = 10
    test = make_test()
    problem = refused(upload(bearer(test.created_by), test, named(b"a", "a.log"), named(b"x" * 11, "b.log")), 413)
    assert problem["detail"].endswith("Kept before it: a.log.")
    assert [row.original_name for row in Evidence.objects.all()] == ["a.log"]


def test_storage_that_refuses_is_503_and_says_when_to_try_again(folder):
    (folder / "ev").write_text("a file where the folder should be")
    test = make_test()
    response = upload(bearer(test.created_by), test)
    refused(response, 503)
    assert response["Retry-After"] == "30"


@pytest.mark.parametrize("role", ROLES)
def test_uploads_are_for_those_who_take_part(role):
    user = make_user(role)
    takes_part = role in {"admin", "red_tech", "blue_tech"}
    assert upload(bearer(user), make_test()).status_code == (201 if role == "admin" else 403)
    if takes_part:
        assert upload(bearer(user), make_test(by=user)).status_code == 201
        refused(upload(bearer(user), make_test(by=user, state="validated")), 409)
        refused(bearer(user).post("/api/v1/tests/999999/evidence", {"file": named()}), 404)
    assert bearer(user).get(f"/api/v1/evidence/{given().pk}").status_code == 200


def test_nobody_gets_anything_without_a_login():
    evidence = given()
    refused(APIClient().get(f"/api/v1/evidence/{evidence.pk}"), 401)
    refused(upload(APIClient(), evidence.test), 401)
    response = Client().get(f"/evidence/{evidence.pk}")
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login?next=/evidence/{evidence.pk}")


@pytest.mark.parametrize("pk", ["9f0c6a50-0000-4000-8000-000000000007", "7", "x", "%00"])
def test_evidence_that_is_not_there(pk, client):
    refused(bearer().get(f"/api/v1/evidence/{pk}"), 404)
    client.force_login(make_user())
    assert client.get(f"/evidence/{pk}").status_code == 404


def test_the_link_of_the_api_gives_the_bytes_without_a_login_and_leaves_a_trace():
    evidence, reader = given(), make_user(username="vera")
    answer = bearer(reader).get(f"/api/v1/evidence/{evidence.pk}").json()
    assert answer["sha256"] == sha256(CONTENT).hexdigest()
    assert not AuditLog.objects.filter(action="evidence.downloaded").exists()
    response = Client().get(answer["download_url"])
    assert b"".join(response.streaming_content) == CONTENT
    trace = AuditLog.objects.get(action="evidence.downloaded")
    assert (trace.actor_name, trace.object_id) == ("vera", str(evidence.pk))


def test_a_session_downloads_and_leaves_a_trace(client):
    evidence = given()
    client.force_login(make_user(username="vera"))
    assert b"".join(client.get(f"/evidence/{evidence.pk}").streaming_content) == CONTENT
    assert AuditLog.objects.get(action="evidence.downloaded").actor_name == "vera"


def test_no_browser_shows_or_runs_what_is_downloaded(client):
    evidence = given(name=EVIL)
    client.force_login(make_user())
    response = client.get(f"/evidence/{evidence.pk}")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment; filename")
    assert "Set-Cookie" not in response
    assert "\n" not in response["Content-Disposition"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cache-Control"] == "no-store"
    assert response["Content-Length"] == str(len(CONTENT))
    assert b"".join(response.streaming_content) == CONTENT


def test_a_link_is_for_one_user_one_file_and_one_minute(monkeypatch):
    mine, other, reader = given(), given(), make_user()
    path = downloads.ticket_path(mine, reader)
    ticket = path.rpartition("/")[2]

    def status(address):
        response = Client().get(address)
        if response.streaming:
            assert b"".join(response.streaming_content) == CONTENT
        return response.status_code

    assert status(path) == 200
    assert status(f"/evidence/{other.pk}/{ticket}") == 404
    assert status(path[:-1] + ("A" if path[-1] != "A" else "B")) == 404
    forged = signing.dumps({"evidence": str(mine.pk), "user": reader.pk}, salt="another purpose")
    assert status(f"/evidence/{mine.pk}/{forged}") == 404
    reader.is_active = False
    reader.save()
    assert status(path) == 404
    reader.is_active = True
    reader.save()
    assert status(path) == 200
    monkeypatch.setattr(vault, "LINK_SECONDS", -1)
    assert status(path) == 404


def test_a_file_that_is_gone_is_404_and_leaves_no_trace(client, folder):
    evidence = given()
    (folder / evidence.key).unlink()
    client.force_login(make_user())
    assert client.get(f"/evidence/{evidence.pk}").status_code == 404
    assert not AuditLog.objects.filter(action="evidence.downloaded").exists()


def test_downloads_only_answer_to_get(client):
    evidence = given()
    client.force_login(make_user())
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(f"/evidence/{evidence.pk}").status_code == 405
