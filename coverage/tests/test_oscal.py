"""Assessment results in OSCAL: what they say, that NIST's rules hold, and that they are the same twice."""

import io
import json
import re
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from oscal_bindings import AssessmentResultsDocument

from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from catalog.models import AttackRelease, Technique
from catalog.tests.factories import SEEN, make_release, make_technique
from compliance.models import ComplianceFramework
from compliance.tests.factories import make_control, make_framework
from coverage.figures.controls import framework_rows
from coverage.figures.shares import TechniqueFacts
from coverage.models import Campaign, Test
from coverage.oscal.words import control_token, line, markup, token
from coverage.services.decisions import submit_test, validate_test
from coverage.services.evidence import attach_evidence
from coverage.services.oscal import export_results
from coverage.services.status import refresh_all
from coverage.tests.factories import make_campaign, make_test

TOKEN = re.compile(r"[^\W\d][\w.\-]*")
SLUG = "nist-800-53-rev5"
PAGE = f"/compliance/frameworks/{SLUG}/oscal.json"
API = f"/api/v1/compliance/frameworks/{SLUG}/oscal"


@pytest.fixture
def world(db):
    """AC-1 and AC-2(1) of a framework. T1001 is met and missed, T1002 missed, T1003 met with evidence; T1004 is attested."""
    make_release()
    for number, name in enumerate(("Both", "Missed", "Met_*here*", "Attested", "Untested"), 1):
        make_technique(f"T100{number}", name=name)
    make_technique("T1009", name="Gone", deprecated=True)
    make_control("T1001", "T1002", "T1003", "T1004", "T1005", "T1009", control_id="AC-1", sort_key="1", title="First")
    make_control("T1003", control_id="AC-2(1)", sort_key="2", title="Second")
    make_control("T1004", "T1005", control_id="AC-3", sort_key="3", title="Never tried")
    make_control("T1003", control_id="AC-4", sort_key="4", title="Retired", withdrawn=True)
    make_test("T1001", state="validated", outcome="alerted", started_at=SEEN, ended_at=SEEN + timedelta(minutes=3))
    make_test("T1001", state="validated", outcome="missed")
    make_test("T1002", state="validated", outcome="logged", target="FILE-01\n")
    by, campaign = make_user(Role.RED_TECH), make_campaign(name="Spring")
    met = make_test("T1003", by=by, outcome="prevented", name="[x](javascript:a)", campaign=campaign)
    attach_evidence(by=by, test=met, side="red", file=io.BytesIO(b"seen"), name="log_1.txt")
    validate_test(by=make_user(Role.RED_LEAD), test=submit_test(by=by, test=Test.objects.get(pk=met.pk)))
    make_test("T1004", state="validated")
    make_test("T1003", state="in_review", outcome="missed")
    return ComplianceFramework.objects.get()


def exported(framework):
    """The document as a program reads it."""
    return json.loads(b"".join(export_results(None, framework).pieces))["assessment-results"]


def every(value, name):
    """All values of a member, wherever it stands."""
    if isinstance(value, dict):
        yield from ([value[name]] if name in value else [])
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from every(one, name)


def states(found):
    """Objective -> state and reason of its finding."""
    targets = [finding["target"] for finding in found["results"][0]["findings"]]
    return {one["target-id"]: (one["status"]["state"], one["status"]["reason"]) for one in targets}


def test_the_document_is_what_nists_schema_asks_for(world):
    whole = json.loads(b"".join(export_results(None, world).pieces))
    found = AssessmentResultsDocument.model_validate(whole)
    assert found.assessment_results.metadata.oscal_version == "1.1.3"
    assert len(found.assessment_results.results[0].observations) == 4


def test_objective_is_satisfied_only_where_tests_met_and_none_missed(world):
    assert states(exported(world)) == {
        "ac-1_tests.T1001": ("not-satisfied", "other"),
        "ac-1_tests.T1002": ("not-satisfied", "fail"),
        "ac-1_tests.T1003": ("satisfied", "pass"),
        "ac-2.1_tests.T1003": ("satisfied", "pass"),
    }


def test_what_was_not_tested_is_neither_reviewed_nor_found(world):
    found = exported(world)
    assert list(every(found["results"][0]["reviewed-controls"], "control-id")) == ["ac-1", "ac-2.1"]
    text = json.dumps(found)
    assert "T1004" not in text
    assert "T1005" not in text
    assert "T1009" not in text
    assert found["results"][0]["remarks"].startswith("1 more validated tests recorded no outcome")


def test_findings_say_what_the_page_of_frameworks_says(world):
    (row,) = framework_rows(TechniqueFacts.now())
    reasons = {target.rpartition("_tests.")[2]: reason for target, (_, reason) in states(exported(world)).items()}
    counts = Counter(reasons.values())
    assert counts["pass"] + counts["other"] == row.shares.proven
    assert counts["fail"] + counts["other"] == row.shares.missed
    assert counts["fail"] == row.shares.proven_gaps


def test_a_control_leads_to_its_technique_its_test_and_the_hash_of_its_evidence(world):
    found = exported(world)
    (result,) = found["results"]
    (finding,) = [one for one in result["findings"] if one["target"]["target-id"] == "ac-2.1_tests.T1003"]
    (wanted,) = every(finding, "observation-uuid")
    (observation,) = [one for one in result["observations"] if one["uuid"] == wanted]
    assert observation["methods"] == ["TEST"]
    ours = {one["name"]: one["value"] for one in observation["props"]}
    assert (ours["technique"], ours["outcome"], ours["expected-outcome"], ours["campaign"]) == (
        "T1003", "prevented", "alerted", "Spring",
    )  # fmt: skip
    (pointer,) = observation["relevant-evidence"]
    (resource,) = [one for one in found["back-matter"]["resources"] if f"#{one['uuid']}" == pointer["href"]]
    evidence = Test.objects.get(pk=ours["test"]).evidence.get()
    assert resource["rlinks"] == [
        {
            "href": f"/api/v1/evidence/{evidence.pk}",
            "hashes": [{"algorithm": "SHA-256", "value": evidence.sha256}],
        }
    ]


def test_every_reference_leads_somewhere_and_no_id_is_given_twice(world):
    found = exported(world)
    ids = Counter(every(found, "uuid"))
    assert set(ids.values()) == {1}
    for name in ("observation-uuid", "risk-uuid", "actor-uuid", "subject-uuid"):
        pointers = set(every(found, name))
        assert pointers, name
        assert pointers <= ids.keys(), name
    inner = {href[1:] for href in every(found, "href") if href.startswith("#")}
    assert inner
    assert inner <= ids.keys()
    assert {one for people in every(found, "party-uuids") for one in people} <= ids.keys()
    objectives = {part["id"] for parts in every(found, "parts") for part in parts}
    assert set(every(found, "objective-id")) == set(every(found, "target-id")) == objectives
    assert {*every(found, "role-id")} == {role["id"] for role in found["metadata"]["roles"]}
    for risk in found["results"][0]["risks"]:
        assert risk["title"].startswith(risk["threat-ids"][0]["id"].rpartition("/")[2])


def test_tokens_and_times_are_as_oscal_writes_them(world):
    found = exported(world)
    for name in ("control-id", "objective-id", "target-id", "role-id", "state", "reason"):
        assert all(TOKEN.fullmatch(one) for one in every(found, name)), name
    times = [one for name in ("last-modified", "start", "end", "collected") for one in every(found, name)]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", one) for one in times), times
    assert found["results"][0]["start"] <= found["results"][0]["end"]
    assert found["metadata"]["last-modified"] >= found["results"][0]["end"]


def test_what_people_typed_is_text_and_never_markup(world):
    result = exported(world)["results"][0]
    titles = {one["title"] for one in result["observations"]}
    assert r"\[x\](javascript:a)" in titles
    (item,) = result["local-definitions"]["inventory-items"]
    assert item["description"] == "FILE-01"


def test_page_api_and_command_give_the_same_bytes_each_time(world, client, tmp_path):
    client.force_login(make_user())
    answers = [client.get(PAGE), client.get(PAGE), bearer().get(API)]
    assert {answer["Content-Type"] for answer in answers} == {"application/json"}
    name = f"aegis-{SLUG}-assessment-results.json"
    assert {answer["Content-Disposition"] for answer in answers} == {f'attachment; filename="{name}"'}
    out = io.StringIO()
    call_command("export_oscal", SLUG, output=tmp_path / name, stdout=out)
    assert out.getvalue() == f"{tmp_path / name}: 4 observations, 4 findings.\n"
    assert {answer.getvalue() for answer in answers} == {(tmp_path / name).read_bytes()}


def test_command_writes_to_standard_output(world, capfdbinary):
    call_command("export_oscal", SLUG)
    assert "assessment-results" in json.loads(capfdbinary.readouterr().out)


def test_a_test_that_is_put_away_makes_a_new_revision(world):
    before = exported(world)
    Test.objects.filter(technique="T1002").update(archived_at=SEEN + timedelta(days=9999))
    after = exported(world)
    assert "ac-1_tests.T1002" not in states(after)
    assert before["uuid"] != after["uuid"]
    assert before["metadata"]["version"] != after["metadata"]["version"]
    assert before["metadata"]["last-modified"] < after["metadata"]["last-modified"]
    kept = {finding["uuid"] for finding in after["results"][0]["findings"]}
    assert kept < {finding["uuid"] for finding in before["results"][0]["findings"]}


@pytest.mark.parametrize(
    "rename",
    [
        lambda: Campaign.objects.update(name="Autumn"),
        lambda: User.objects.filter(pk=Test.objects.earliest("pk").created_by_id).update(username="renamed"),
        lambda: Technique.objects.filter(mitre_id="T1003").update(name="Called otherwise"),
        lambda: AttackRelease.objects.update(version="99.9"),
    ],
    ids=["campaign", "user", "technique", "release"],
)
def test_what_is_called_otherwise_makes_a_new_revision(world, rename):
    before = exported(world)
    assert exported(world) == before
    rename()
    after = exported(world)
    assert before["uuid"] != after["uuid"]
    assert before["metadata"]["version"] != after["metadata"]["version"]


def test_two_frameworks_share_their_observations_and_not_their_findings(world):
    other = make_framework("csa-ccm", name="CSA CCM", version="4.1")
    make_control("T1003", framework="csa-ccm", control_id="AIS 01/a", sort_key="1")
    found, first = exported(other), exported(world)
    (observation,) = found["results"][0]["observations"]
    assert observation in first["results"][0]["observations"]
    assert not set(every(found["results"][0]["findings"], "uuid")) & set(every(first, "uuid"))
    (control,) = every(found["results"][0]["reviewed-controls"], "control-id")
    assert re.fullmatch(r"AIS_01_a_[0-9a-f]{8}", control)


def test_each_export_is_in_the_audit_trail(world, client):
    user = make_user(Role.VIEWER)
    client.force_login(user)
    document = json.loads(client.get(PAGE).getvalue())
    row = AuditLog.objects.get(action="oscal.exported")
    assert (row.actor_name, row.object_label) == (user.username, str(world))
    assert row.after == {"uuid": document["assessment-results"]["uuid"], "observations": 4, "findings": 4}


def test_the_page_has_a_button_once_there_is_something_to_tell(world, client):
    client.force_login(make_user())
    detail = f"/compliance/frameworks/{SLUG}"
    assert f'href="{PAGE}"' in client.get(detail).content.decode()
    Test.objects.update(archived_at=SEEN)
    refresh_all()
    assert PAGE not in client.get(detail).content.decode()
    answer = client.get(PAGE, follow=True)
    assert answer.redirect_chain == [(detail, 302)]
    assert "there is nothing to export yet" in answer.content.decode()
    assert bearer().get(API).status_code == 409
    with pytest.raises(CommandError, match="No validated test with an outcome"):
        call_command("export_oscal", SLUG)
    with pytest.raises(CommandError, match=f"There are: {SLUG}"):
        call_command("export_oscal", "unknown")
    assert bearer().get(API.replace(SLUG, "unknown")).status_code == 404
    assert not AuditLog.objects.filter(action="oscal.exported").exists()


def test_ten_times_the_tests_take_no_more_queries(world):
    with CaptureQueriesContext(connection) as few:
        exported(world)
    standing = Test.objects.get(technique="T1003", state="validated")
    copies = [{**vars(standing), "pk": None, "id": None, "name": f"Copy {number}"} for number in range(40)]
    Test.objects.bulk_create(
        Test(**{name: value for name, value in copy.items() if not name.startswith("_")}) for copy in copies
    )
    with CaptureQueriesContext(connection) as many:
        found = exported(world)
    assert len(found["results"][0]["observations"]) == 44
    assert len(many) == len(few) <= 15


@pytest.mark.parametrize(
    ("framework", "control", "expected"),
    [
        ("nist-800-53-rev5", "AC-2", "ac-2"),
        ("nist-800-53-rev4", "AC-2(12)", "ac-2.12"),
        ("csa-ccm", "AIS-01", "AIS-01"),
        ("cri-profile", "PR.AA-01.01", "PR.AA-01.01"),
        ("veris", "action.hacking.variety.SQLi", "action.hacking.variety.SQLi"),
        ("cis", "1.1", "_1.1"),
        ("aws", "amazon guardduty", "amazon_guardduty_1cb86bb5"),
    ],
)
def test_controls_are_named_as_their_framework_names_them(framework, control, expected):
    assert control_token(framework, control) == expected


@given(st.text(min_size=1), st.text(min_size=1))
def test_every_text_has_a_token_of_its_own(one, other):
    assert TOKEN.fullmatch(token(one))
    assert (token(one) == token(other)) == (one == other)


@given(st.text(min_size=1))
def test_texts_stay_in_one_line(text):
    for written in (line(text), markup(text)):
        assert written == written.strip()
        assert "\n" not in written


def test_addresses_are_whole_once_the_site_says_where_it_is(world, settings):
    near = exported(world)
    settings.AEGIS_URL = "https://aegis.example.org"
    far = exported(world)
    ours = [href for href in every(near, "href") if href.startswith("/")]
    assert len(ours) > 3
    assert [href for href in every(far, "href") if href.startswith("https://aegis.example.org/")] == [
        f"https://aegis.example.org{href}" for href in ours
    ]
    assert [href for href in every(far, "href") if href.startswith("/")] == []
    assert (near["uuid"] != far["uuid"], near["results"][0]["findings"] == far["results"][0]["findings"]) == (
        True,
        True,
    )
