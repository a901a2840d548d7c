"""Techniques of one's own: who may write them, what they may be, and that they count like those of ATT&CK."""

import json

import pytest
from django.test import Client

from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from catalog.models import Technique
from catalog.tests.factories import make_release, make_tactic, make_technique
from coverage.models import TechniqueCoverage, Test
from coverage.services.creation import create_test
from coverage.services.status import drift
from coverage.services.techniques import create_technique
from coverage.tests.factories import make_test

pytestmark = pytest.mark.django_db
LIST = "/api/v1/techniques"
PLAIN = {"mitre_id": "T9001", "name": "Payment file swap", "tactics": ["execution"]}


@pytest.fixture
def admin():
    make_release()
    make_tactic("execution")
    make_tactic("impact")
    return make_user("admin", username="maria")


@pytest.fixture
def api(admin):
    return bearer(admin)


def added(admin, mitre_id="T9001", **fields):
    return create_technique(by=admin, **{**PLAIN, "mitre_id": mitre_id, **fields})


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def test_admin_adds_a_technique_by_api(api):
    make_technique("T1059", platforms=["Windows"])
    body = {**PLAIN, "mitre_id": "t9001", "platforms": ["windows", "SAP", "SAP"], "url": "https://wiki.example.org/x"}
    answer = api.post(LIST, body, format="json")
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert {name: told[name] for name in ("mitre_id", "name", "tactic", "tactics", "platforms", "parent", "url")} == {
        "mitre_id": "T9001",
        "name": "Payment file swap",
        "tactic": "execution",
        "tactics": ["execution"],
        "platforms": ["Windows", "SAP"],
        "parent": None,
        "url": "https://wiki.example.org/x",
    }
    assert (told["source"], told["added_by"], told["changed_by"], told["source_url"]) == ("local", "maria", "maria", "")
    trail = AuditLog.objects.get(action="technique.created")
    assert (trail.actor_name, trail.after["mitre_id"]) == ("maria", "T9001")


def test_subtechnique_stands_below_the_technique_of_its_id_and_in_its_tactics(api):
    make_technique("T1059", tactics=["execution"])
    told = api.post(LIST, {"mitre_id": "T1059.901", "name": "House script host"}, format="json").json()
    assert (told["parent"], told["is_subtechnique"], told["tactics"]) == ("T1059", True, ["execution"])


@pytest.mark.parametrize(
    ("change", "field", "word"),
    [
        pytest.param({"mitre_id": "T1700"}, "mitre_id", "T9000 to T9999", id="an id that ATT&CK may give out"),
        pytest.param({"mitre_id": "T9001.1"}, "mitre_id", "T9000", id="an id of no known form"),
        pytest.param({"mitre_id": "T٩٠٠١"}, "mitre_id", "T9000", id="digits of another script"),
        pytest.param({"mitre_id": "T9002.001"}, "mitre_id", "no technique here", id="below nothing"),
        pytest.param({"mitre_id": "T1059.901", "parent": "T1060"}, "parent", "below T1059", id="another parent"),
        pytest.param({"parent": "T1059"}, "parent", "no sub-technique", id="a parent for none"),
        pytest.param({"mitre_id": "T1059.901", "tactics": ["impact"]}, "tactics", "T1059 stands in", id="not parent's"),
        pytest.param({"tactics": ["no such"]}, "tactics", "execution, impact", id="an unknown tactic"),
        pytest.param({"tactics": []}, "tactics", "at least one", id="no tactic"),
        pytest.param({"tactic": "impact"}, "tactic", "not the first", id="two first tactics"),
        pytest.param({"name": "  "}, "name", "blank", id="a blank name"),
        pytest.param({"name": "x" * 256}, "name", "255", id="a long name"),
        pytest.param({"name": "two\nlines"}, "name", "one line", id="a name of two lines"),
        pytest.param({"name": "a\u202eb"}, "name", "U+202E", id="a name that reads otherwise"),
        pytest.param({"description": "bell\x07"}, "description", "U+0007", id="a control character"),
        pytest.param({"description": "a\0b"}, "description", "NUL", id="a NUL"),
        pytest.param({"platforms": ["x" * 65]}, "platforms", "64", id="a long platform"),
        pytest.param({"platforms": "Windows"}, "platforms", "list", id="no list"),
        pytest.param({"url": "javascript:alert(1)"}, "url", "https://", id="no web address"),
        pytest.param({"revoked": True}, "revoked", "no such field", id="an unknown field"),
    ],
)
def test_what_cannot_be_is_refused_by_field(api, change, field, word):
    make_technique("T1059", tactics=["execution"])
    answer = api.post(LIST, PLAIN | change, format="json")
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == [field]
    assert word in json.dumps(answer.json()["errors"], ensure_ascii=False)
    assert not Technique.objects.filter(source="local").exists()


def test_id_that_is_taken_is_a_conflict_that_names_its_owner(api, admin):
    make_technique("T1059", name="Scripts")
    added(admin)
    told = [api.post(LIST, PLAIN | {"mitre_id": one}, format="json") for one in ("t1059", "T9001")]
    assert [answer.status_code for answer in told] == [409, 409]
    assert [answer.json()["detail"] for answer in told] == [
        "T1059 is a technique of MITRE ATT&CK already (Scripts).",
        "T9001 is a local technique already (Payment file swap).",
    ]


def test_admin_changes_a_local_technique_and_the_trail_says_what(api, admin):
    added(admin)
    answer = api.patch(f"{LIST}/t9001", {"name": "File swap", "tactic": "impact"}, format="json")
    assert (answer.status_code, answer.json()["name"], answer.json()["tactics"]) == (200, "File swap", ["impact"])
    trail = AuditLog.objects.get(action="technique.edited")
    assert trail.before == {"name": "Payment file swap", "tactics": ["execution"]}
    assert trail.after == {"name": "File swap", "tactics": ["impact"]}
    assert api.patch(f"{LIST}/T9001", {"mitre_id": "T9002"}, format="json").status_code == 400
    assert api.patch(f"{LIST}/T9001", {}, format="json").status_code == 200
    assert AuditLog.objects.filter(action="technique.edited").count() == 1


def test_who_saw_an_older_version_of_a_technique_is_told_who_wrote_since(api, admin):
    added(admin)
    seen = api.get(f"{LIST}/T9001")
    assert (seen["ETag"], seen.json()["local_version"]) == ('"1"', 1)
    changed = api.patch(f"{LIST}/T9001", {"name": "A"}, format="json", headers={"If-Match": seen["ETag"]})
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    for stale in (
        api.patch(f"{LIST}/T9001", {"name": "B"}, format="json", headers={"If-Match": '"1"'}),
        api.patch(f"{LIST}/T9001", {"name": "B", "version": 1}, format="json"),
        api.post(f"{LIST}/T9001/archive", {"version": 1}, format="json"),
        api.post(f"{LIST}/T9001/restore", {}, format="json", headers={"If-Match": '"1"'}),
    ):
        assert stale.status_code == 409
        assert "(you saw version 1, it is at 2): maria wrote at 20" in stale.json()["detail"]
    refused = api.patch(f"{LIST}/T9001", {"version": 2}, format="json", headers={"If-Match": '"1"'})
    assert (refused.status_code, [*refused.json()["errors"]]) == (400, ["If-Match"])
    assert api.post(f"{LIST}/T9001/archive", {"version": 2}, format="json")["ETag"] == '"3"'
    assert api.post(f"{LIST}/T9001/restore", {}, format="json", headers={"If-Match": "*"})["ETag"] == '"4"'
    assert Technique.objects.get().name == "A"


def test_technique_of_attack_has_no_version_to_see(api):
    make_technique("T1059")
    answer = api.get(f"{LIST}/T1059")
    assert ("ETag" in answer, answer.json()["local_version"]) == (False, None)


def test_page_that_was_overtaken_saves_nothing_and_keeps_what_was_typed(admin):
    added(admin)
    browser, form = client_of(admin), {"name": "First", "tactics": ["execution"], "version": "1"}
    assert 'name="version" value="1"' in browser.get("/techniques/T9001/edit").content.decode()
    assert browser.post("/techniques/T9001/edit", form).status_code == 302
    answer = browser.post("/techniques/T9001/edit", form | {"name": "Second"})
    page = answer.content.decode()
    assert (answer.status_code, "it is at 2): maria wrote at" in page, 'value="Second"' in page) == (409, True, True)
    browser.post("/techniques/T9001/archive", {"version": "1"})
    subject = Technique.objects.get()
    assert (subject.name, subject.withdrawn_at) == ("First", None)


def test_change_of_an_imported_technique_is_a_conflict_that_says_why(api):
    make_technique("T1059")
    for answer in (
        api.patch(f"{LIST}/T1059", {"name": "Ours"}, format="json"),
        api.post(f"{LIST}/T1059/archive", {}, format="json"),
    ):
        assert answer.status_code == 409
        assert (
            "all its fields (name, description, tactics, platforms, url) come from upstream" in answer.json()["detail"]
        )
    assert Technique.objects.get(mitre_id="T1059").name != "Ours"


def test_archived_technique_counts_for_nothing_keeps_its_tests_and_comes_back(api, admin):
    subject = added(admin)
    test = make_test("T9001", state="validated", outcome="alerted")
    assert api.post(f"{LIST}/T9001/archive", {"note": "Sold."}, format="json").status_code == 200
    assert api.get(LIST).json()["count"] == 0
    assert api.get(f"{LIST}/T9001").json()["withdrawn_at"]
    assert Test.objects.get(pk=test.pk).technique == subject
    assert api.post(f"{LIST}/T9001/archive", {}, format="json").status_code == 409
    assert api.patch(f"{LIST}/T9001", {"name": "Other"}, format="json").status_code == 409
    assert api.post("/api/v1/tests", {"technique": "T9001", "name": "New"}, format="json").status_code == 400
    told = api.post(f"{LIST}/T9001/restore", {}, format="json").json()
    assert (told["withdrawn_at"], told["status"]) == (None, "validated")
    assert AuditLog.objects.get(action="technique.archived").note == "Sold."


def test_technique_with_active_subtechniques_is_not_archived(api, admin):
    added(admin)
    added(admin, "T9001.001", tactics=[])
    answer = api.post(f"{LIST}/T9001/archive", {}, format="json")
    assert (answer.status_code, answer.json()["detail"]) == (409, "T9001.001 stand below T9001: archive them first.")
    for mitre_id in ("T9001.001", "T9001"):
        assert api.post(f"{LIST}/{mitre_id}/archive", {}, format="json").status_code == 200
    answer = api.post(f"{LIST}/T9001.001/restore", {}, format="json")
    assert (answer.status_code, answer.json()["detail"]) == (409, "T9001, which it stands below, is not active.")


def test_local_technique_is_tested_and_counted_like_any_other(api, admin):
    make_technique("T1059", tactics=["execution"])
    make_test("T1059", state="validated", outcome="alerted")
    below = added(admin, "T1059.901", tactics=[])
    assert TechniqueCoverage.objects.get(technique="T1059").status == "partial", "it is one more that nobody tested"
    create_test(by=admin, technique=below)
    assert api.get(f"{LIST}/T1059.901").json()["status"] == "in_progress"
    assert api.get("/api/v1/metrics/summary").json()["techniques"] == 2
    assert [row["mitre_id"] for row in api.get(LIST, {"local": "true"}).json()["results"]] == ["T1059.901"]
    layer = {entry["techniqueID"]: entry for entry in api.get("/api/v1/layers/coverage.json").json()["techniques"]}
    assert {"name": "Source", "value": "local, not of ATT&CK"} in layer["T1059.901"]["metadata"]
    assert all(note["name"] != "Source" for note in layer["T1059"]["metadata"])
    assert list(drift()) == []


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/matrix?subs=all", ">local</i>"),
        ("/matrix?view=table", "Local</span>"),
        ("/techniques", "Local</span>"),
        ("/techniques/T9001", "added by maria"),
        ("/techniques/T9001?tab=history", "added here, by no upstream"),
        ("/gaps", "T9001"),
        ("/matrix.csv", ',"local",'),
        ("/techniques?export=csv", ',"local",'),
    ],
)
def test_pages_show_it_as_local(admin, address, said):
    added(admin)
    answer = client_of(admin).get(address)
    assert said in (b"".join(answer) if answer.streaming else answer.content).decode()


def test_admin_adds_changes_and_archives_on_the_pages(admin):
    browser = client_of(admin)
    assert 'value="T9001"' in browser.get("/techniques/new").content.decode()
    form = {"mitre_id": "T9001", "name": "File swap", "tactics": ["execution", "impact"], "platforms": "SAP, Windows"}
    assert browser.post("/techniques/new", form)["Location"] == "/techniques/T9001"
    assert browser.post("/techniques/T9001/edit", form | {"name": "Swap"})["Location"] == "/techniques/T9001"
    subject = Technique.objects.get(mitre_id="T9001")
    assert (subject.name, subject.platforms) == ("Swap", ["SAP", "Windows"])
    browser.post("/techniques/T9001/archive", {"note": "Sold."})
    assert "Restore this technique" in browser.get("/techniques/T9001").content.decode()
    browser.post("/techniques/T9001/restore")
    assert Technique.objects.active().filter(mitre_id="T9001").exists()


def test_page_says_beside_the_field_what_is_wrong_and_keeps_what_was_typed(admin):
    make_technique("T1059", name="Scripts")
    for mitre_id, said in (
        ("T1059", "is a technique of MITRE ATT&amp;CK already"),
        ("T1700", "T9000 to T9999 (T9001,"),
    ):
        answer = client_of(admin).post("/techniques/new", {"mitre_id": mitre_id, "name": "Kept", "tactics": "impact"})
        assert answer.status_code == 400
        assert said in answer.content.decode()
        assert 'value="Kept"' in answer.content.decode()


def test_page_of_an_imported_technique_cannot_be_edited(admin):
    make_technique("T1059")
    answer = client_of(admin).post("/techniques/T1059/edit", {"name": "Ours", "tactics": "impact"}, follow=True)
    assert "come from upstream" in answer.content.decode()
    assert 'href="/techniques/T1059/edit"' not in answer.content.decode()


@pytest.mark.parametrize("role", ["red_lead", "red_tech", "viewer"])
def test_nobody_but_admins_is_offered_to_write_one(admin, role):
    added(admin)
    browser = client_of(make_user(role))
    for address in ("/techniques", "/techniques/T9001"):
        assert not {"/techniques/new", "/techniques/T9001/edit"} & set(browser.get(address).content.decode().split('"'))
