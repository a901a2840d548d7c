"""A bucket that does not answer: whoever uploads or downloads is told so soon, and nothing is half there."""

import io
from types import SimpleNamespace

import pytest

from aegis.accounts.tests.factories import bearer, make_user
from aegis.lib import bucket as buckets
from aegis.lib import circuit
from coverage.models import Evidence
from coverage.services.evidence import attach_evidence
from coverage.tests.bucket import BUCKET, client, running_server, storages
from coverage.tests.factories import make_test
from coverage.tests.line import line_to

# What lies in the bucket: the rows beside it are those of test_evidence.py, which asks both databases.
pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
WAIT = 0.3
CONTENT = b"MZ\x90\x00 the bytes of something dangerous"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(tmp_path_factory.mktemp("bucket")) as address:
        yield address


@pytest.fixture
def clock(monkeypatch):
    """The clock of the circuit, which stands until the test moves it."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(circuit, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def line(server, settings, monkeypatch):
    """The line to the bucket, which hands its objects out by Aegis. Who asks it waits a fraction of a second for an answer."""
    monkeypatch.setattr(buckets.Bucket, "waits", buckets.PROMPT | {"read_timeout": WAIT})
    with line_to(server) as line:
        settings.STORAGES = storages(settings.STORAGES, line.address)
        settings.STORAGES["evidence"]["OPTIONS"]["querystring_auth"] = False
        yield line


def keys(server):
    return {entry["Key"] for entry in client(server).list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def upload(test):
    return bearer(test.created_by).post(f"/api/v1/tests/{test.pk}/evidence", {"file": io.BytesIO(CONTENT)})


@pytest.mark.parametrize("state", ["silent", "cut"])
def test_after_a_few_failures_nobody_waits_and_when_it_answers_all_is_well(line, server, clock, state):
    test = make_test()
    before = keys(server)
    line.become(state)
    for _ in range(circuit.FAILURES):
        answer = upload(test)
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        assert answer["Content-Type"] == "application/problem+json"
    assert line.calls == circuit.FAILURES
    line.become("whole")
    assert (upload(test).status_code, line.calls) == (503, 0)
    assert (Evidence.objects.count(), keys(server)) == (0, before)
    clock.now += circuit.SECONDS
    assert upload(test).status_code == 201
    assert keys(server) == before | {Evidence.objects.get().key}


def test_a_silent_bucket_is_known_within_ten_seconds():
    waits = buckets.PROMPT
    assert max(waits["connect_timeout"], waits["read_timeout"]) * waits["retries"]["total_max_attempts"] + 1 < 10


def test_whoever_downloads_from_a_silent_bucket_is_told_so(line, client):
    test = make_test()
    row = attach_evidence(by=test.created_by, test=test, side="red", file=io.BytesIO(CONTENT), name="run.exe")
    client.force_login(make_user())
    line.become("silent")
    answer = client.get(f"/evidence/{row.pk}")
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "does not answer" in answer.content.decode()
    line.become("whole")
    assert client.get(f"/evidence/{row.pk}").getvalue() == CONTENT


def test_a_bucket_that_refuses_is_asked_each_time(line, server, settings):
    """A wrong key is no outage: it is told as long as it is wrong, and right again at once."""
    test = make_test()
    right = settings.STORAGES
    wrong = storages(settings.STORAGES, line.address, "another secret")
    settings.STORAGES = wrong
    for _ in range(circuit.FAILURES + 2):
        assert upload(test).status_code == 503
    settings.STORAGES = right
    assert upload(test).status_code == 201
