"""Evidence in a bucket: the same promises as in a folder, kept by a real S3 server."""

import io
import time
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import environ
import pytest
import requests
from botocore.exceptions import ClientError

from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from aegis.lib.evidence_storage import evidence_storage
from coverage.evidence import vault
from coverage.evidence.downloads import bucket_link
from coverage.models import Evidence
from coverage.services.evidence import attach_evidence, faults
from coverage.tests.bucket import BUCKET, client, running_server, storages, variables
from coverage.tests.factories import make_test

# What lies in the bucket, and who gets it: the rows beside it are those of test_evidence.py, which asks both databases.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
CONTENT = b"MZ\x90\x00 the bytes of something dangerous"
LARGE = bytes(range(256)) * (80 * 1024)  # 20 MB: several parts of an upload
MB = 1024 * 1024


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("bucket")) as address:
        yield address


@pytest.fixture
def bucket(server, settings):
    settings.STORAGES = storages(settings.STORAGES, server)
    yield client(server)
    for key in keys(client(server)):
        client(server).delete_object(Bucket=BUCKET, Key=key)


def keys(s3):
    return [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def attach(content=CONTENT, **options):
    test = make_test()
    given = {"by": test.created_by, "side": "red", "name": "run.exe", **options}
    return attach_evidence(test=test, file=io.BytesIO(content), **given)


@pytest.mark.parametrize("content", [CONTENT, b"", LARGE], ids=["small", "empty", "in parts"])
def test_what_arrives_in_the_bucket_is_what_was_sent(bucket, content):
    evidence = attach(content)
    assert (evidence.size, evidence.sha256) == (len(content), sha256(content).hexdigest())
    assert keys(bucket) == [evidence.key]
    assert bucket.get_object(Bucket=BUCKET, Key=evidence.key)["Body"].read() == content
    assert vault.digest_of(evidence.key) == (evidence.size, evidence.sha256)
    assert faults() == []


@pytest.mark.parametrize("limit", [len(CONTENT), 10 * MB])
def test_a_file_above_the_limit_leaves_nothing_in_the_bucket(bucket, limit, settings):
    settings.EVIDENCE_MAX_BYTES = limit
    with pytest.raises(vault.TooLarge):
        attach(LARGE)
    assert (Evidence.objects.count(), keys(bucket)) == (0, [])
    assert "Uploads" not in bucket.list_multipart_uploads(Bucket=BUCKET)


def test_lost_and_changed_objects_are_found(bucket):
    lost, changed = attach(), attach()
    bucket.delete_object(Bucket=BUCKET, Key=lost.key)
    bucket.put_object(Bucket=BUCKET, Key=changed.key, Body=b"other")
    assert {line.partition(" ")[0] for line in faults()} == {str(lost.pk), str(changed.pk)}


def test_orphans_are_found_by_their_age(bucket):
    kept = attach()
    bucket.put_object(Bucket=BUCKET, Key="ev/orphan", Body=b"x")
    assert list(vault.orphans({kept.key}, older_than=timedelta(days=1))) == []
    time.sleep(1.1)
    assert list(vault.orphans({kept.key}, older_than=timedelta(seconds=1))) == ["ev/orphan"]


def test_nobody_gets_an_object_without_a_signed_link(bucket, server):
    evidence = attach()
    bare, _, query = bucket_link(evidence).partition("?")
    assert bare == f"{server}/{BUCKET}/{evidence.key}"
    assert requests.get(bare, timeout=10).status_code in {400, 401, 403}
    assert requests.get(f"{server}/{BUCKET}", timeout=10).status_code in {400, 401, 403}
    assert requests.get(f"{bare}?{query[:-4]}0000", timeout=10).status_code == 403
    with pytest.raises(ClientError):
        client(server, secret="another secret").get_object(Bucket=BUCKET, Key=evidence.key)


def test_a_link_gives_an_attachment_of_unknown_type_for_a_minute(bucket, monkeypatch):
    evidence = attach(name='the "größte".html')
    link = bucket_link(evidence)
    asked = parse_qs(urlsplit(link).query)
    assert asked["X-Amz-Expires"] == ["60"]
    assert asked["response-content-type"] == ["application/octet-stream"]
    wanted = "attachment; filename*=utf-8''the%20%22gr%C3%B6%C3%9Fte%22.html"
    assert asked["response-content-disposition"] == [wanted]
    answer = requests.get(link, timeout=10)
    assert answer.content == CONTENT
    assert answer.headers["Content-Type"] == "application/octet-stream"
    monkeypatch.setattr(vault, "LINK_SECONDS", 1)
    short = bucket_link(evidence)
    time.sleep(2.5)
    assert requests.get(short, timeout=10).status_code in {400, 401, 403}


def test_the_api_gives_the_link_and_notes_it(bucket):
    evidence = attach()
    reader = make_user(username="vera")
    answer = bearer(reader).get(f"/api/v1/evidence/{evidence.pk}").json()
    assert requests.get(answer["download_url"], timeout=10).content == CONTENT
    assert AuditLog.objects.filter(action="evidence.downloaded", actor_name="vera").count() == 1


def test_the_page_leads_to_the_bucket(bucket, client):
    evidence = attach()
    client.force_login(make_user())
    answer = client.get(f"/evidence/{evidence.pk}")
    assert answer.status_code == 302
    assert requests.get(answer["Location"], timeout=10).content == CONTENT


def test_a_bucket_that_no_browser_reaches_is_read_for_them(bucket, server, settings, client):
    env = environ.Env()
    env.ENVIRON = variables(server) | {"MINIO_SIGNED_LINKS": "false"}
    settings.STORAGES |= {"evidence": evidence_storage(env, Path("unused"))}
    evidence = attach()
    reader = make_user()
    client.force_login(reader)
    answer = client.get(f"/evidence/{evidence.pk}")
    assert (answer.status_code, answer.getvalue()) == (200, CONTENT)
    link = bearer(reader).get(f"/api/v1/evidence/{evidence.pk}").json()["download_url"]
    assert link.startswith("http://testserver/")
    assert client.get(link).getvalue() == CONTENT


@pytest.mark.parametrize("fault", ["secret", "address"])
def test_a_bucket_that_refuses_or_is_away_is_503_and_keeps_nothing(server, settings, fault):
    address, secret = (server, "another secret") if fault == "secret" else ("http://127.0.0.1:9", "x")
    settings.STORAGES = storages(settings.STORAGES, address, secret)
    test = make_test()
    response = bearer(test.created_by).post(f"/api/v1/tests/{test.pk}/evidence", {"file": io.BytesIO(CONTENT)})
    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert response["Content-Type"] == "application/problem+json"
    assert not Evidence.objects.exists()
