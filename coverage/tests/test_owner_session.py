"""The owner's own session through the API, word for word: from the login to the technique that is validated."""

from hashlib import sha256
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from rest_framework.test import APIClient

from aegis.accounts.tests.factories import PASSWORD, make_user
from aegis.audit.models import AuditLog
from catalog.tests.factories import make_release, make_tactic, make_technique, make_template

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"
LOG = b"PS C:\\> Get-Date\r\nFriday\r\n"


@pytest.fixture(autouse=True)
def _world(settings, tmp_path: Path):
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "evidence": backend}
    make_release("18.1")
    make_tactic("execution", mitre_id="TA0002", position=0)
    make_technique("T1059", tactics=("execution",))
    make_technique("T1059.001", tactics=("execution",), name="PowerShell")
    make_technique("T1053", tactics=("execution",))
    make_template("T1059.001", source="atomic", name="Ask for the time")
    make_user("red_tech", username="maria")
    make_user("blue_lead", username="lena")


def logged_in(username):
    """A client with the token that the login form gives."""
    client = APIClient()
    answer = client.post(
        V1 + "auth/login",
        f"username={username}&password={PASSWORD}",
        content_type="application/x-www-form-urlencoded",
    )
    assert (answer.status_code, answer.json()["token_type"]) == (200, "bearer")
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access_token']}")
    return client


def figures(client):
    summary, tactic = client.get(V1 + "metrics/summary").json(), client.get(V1 + "metrics/by-tactic").json()[0]
    names = ("validated", "partial", "in_progress", "not_covered", "proven")
    return [tuple(rows[name] for name in names) for rows in (summary, tactic)]


def test_from_login_to_a_validated_technique():
    maria, lena = logged_in("maria"), logged_in("lena")
    assert figures(maria) == [(0, 0, 0, 3, 0)] * 2

    templates = maria.get(V1 + "test-templates", {"technique": "T1059.001", "source": "atomic"}).json()["results"]
    created = maria.post(V1 + "tests", {"template": templates[0]["id"]}, format="json")
    assert created.status_code == 201
    test = created.json()
    assert (test["technique"], test["state"], test["commands"]) == ("T1059.001", "draft", "Get-Date")
    assert maria.get(V1 + "techniques/T1059.001").json()["status"] == "in_progress"

    path = f"{V1}tests/{test['id']}"
    body = {"file": SimpleUploadedFile("shell.log", LOG), "sha256": sha256(LOG).hexdigest(), "caption": "The shell"}
    uploaded = maria.post(f"{path}/evidence", body)
    assert uploaded.status_code == 201
    evidence = lena.get(f"{V1}evidence/{uploaded.json()['id']}").json()
    assert evidence["sha256"] == sha256(LOG).hexdigest()
    download = APIClient().get(evidence["download_url"])
    assert b"".join(download.streaming_content) == LOG

    assert maria.post(f"{path}/submit").json()["state"] == "in_review"
    assert maria.post(f"{path}/validate").status_code == 403
    assert lena.post(f"{path}/validate").json()["state"] == "validated"
    assert maria.patch(path, {"target": "WS-1"}, format="json").status_code == 409

    technique = lena.get(V1 + "techniques/T1059.001").json()
    assert (technique["status"], technique["proven"]) == ("validated", False)
    assert [row["id"] for row in technique["tests"]] == [test["id"]]
    assert lena.get(V1 + "techniques/T1059").json()["status"] == "validated"
    assert lena.get(V1 + "techniques/T1053").json()["status"] == "not_covered"
    assert figures(lena) == [(2, 0, 0, 1, 0)] * 2

    steps = ["test.created", "test.evidence_added", "evidence.downloaded", "test.submitted", "test.validated"]
    trail = AuditLog.objects.filter(action__in=steps).order_by("id")
    assert [(row.action, row.actor_name) for row in trail] == list(
        zip(steps, ["maria", "maria", "lena", "maria", "lena"], strict=True)
    )
    call_command("verify_audit")
    call_command("verify_evidence")


def test_a_validated_test_moves_the_summary_by_exactly_one():
    maria, lena = logged_in("maria"), logged_in("lena")
    before = figures(lena)[0]
    test = maria.post(V1 + "tests", {"technique": "T1053"}, format="json").json()
    facts = {"outcomes": [{"kind": "alerted", "tool": "EDR"}]}
    assert maria.patch(f"{V1}tests/{test['id']}", facts, format="json").json()["outcome"] == "alerted"
    maria.post(f"{V1}tests/{test['id']}/submit")
    lena.post(f"{V1}tests/{test['id']}/validate")
    after = figures(lena)[0]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 0, 0, -1, 1]
