"""Tests in the API: written by those who may, refused with the reason to all others."""

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from aegis.accounts.policy import ROLES
from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from catalog.tests.factories import make_rule, make_technique, make_template
from coverage.models import TechniqueCoverage, Test
from coverage.services.campaigns import archive_campaign
from coverage.services.decisions import archive_test
from coverage.services.review import flag_for_review
from coverage.tests.factories import make_campaign, make_test

pytestmark = pytest.mark.django_db
TESTS = "/api/v1/tests"


def refused(response, status, *fields):
    """The problem that a response is, which names exactly these fields; fails if it is anything else."""
    assert response.status_code == status, response.content[:500]
    assert response["Content-Type"] == "application/problem+json"
    assert sorted(response.json().get("errors", {})) == sorted(fields), response.json()
    return response.json()


def post(client, path, body=None):
    return client.post(f"{TESTS}/{path}".rstrip("/"), body or {}, format="json")


def patch(client, test, body, **headers):
    return client.patch(f"{TESTS}/{test.pk}", body, format="json", headers=headers)


def test_a_test_is_created_as_a_draft_with_its_fields():
    make_technique("T1059.001", name="PowerShell")
    tech = make_user("red_tech", username="maria")
    body = {"technique": "t1059.001", "name": "Ask", "target": "WS-1", "started_at": "2026-01-02T03:04:05+01:00"}
    response = post(bearer(tech), "", body)
    assert response.status_code == 201
    test = response.json()
    assert response["ETag"] == '"1"'
    assert (test["state"], test["version"], test["outcome"], test["verdict"]) == ("draft", 1, "not_tested", "open")
    assert (test["technique"], test["technique_name"], test["name"]) == ("T1059.001", "PowerShell", "Ask")
    assert (test["target"], test["started_at"]) == ("WS-1", "2026-01-02T02:04:05Z")
    assert (test["created_by"], test["decided_by"]) == ("maria", None)
    assert test["offered"] == ["evidence.add", "test.assess", "test.edit", "test.execute", "test.submit"]
    assert bearer().get(f"{TESTS}/{test['id']}").json() == test | {"offered": []}


def test_a_test_from_a_template_has_its_commands_and_its_place_in_the_campaign():
    make_technique("T1059.001")
    template, campaign = make_template("T1059.001", name="Ask for the time"), make_campaign("T1059")
    tech = make_user("red_tech")
    test = post(bearer(tech), "", {"template": template.pk, "campaign": campaign.pk}).json()
    assert (test["template"], test["technique"], test["commands"]) == (template.pk, "T1059.001", "Get-Date")
    assert (test["name"], test["campaign"], test["position"]) == ("Ask for the time", campaign.pk, 2)


def test_no_test_is_planned_into_a_campaign_that_was_archived():
    make_technique("T1059")
    admin = make_user("admin")
    campaign = archive_campaign(by=admin, campaign=make_campaign("T1082", by=admin))
    problem = refused(post(bearer(admin), "", {"technique": "T1059", "campaign": campaign.pk}), 409)
    assert problem["detail"].startswith("This campaign was archived at")
    assert campaign.tests.count() == 1


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["technique"]),
        ({"technique": "T9998"}, ["technique"]),
        ({"technique": "T1086"}, ["technique"]),
        ({"technique": "T1059", "template": 999_999}, ["template"]),
        ({"technique": "T1059", "template": "x"}, ["template"]),
        ({"technique": "T1059", "template": 10**30}, ["template"]),
        ({"technique": "T1059", "campaign": 999_999}, ["campaign"]),
        ({"technique": "T1059", "state": "validated"}, ["state"]),
        ({"technique": "T1059", "created_by": "maria", "nonsense": 1}, ["created_by", "nonsense"]),
        ({"technique": "T1059", "name": "x" * 256}, ["name"]),
        ({"technique": "T1059", "name": ""}, ["name"]),
        ({"technique": "T1059", "name": ["x"]}, ["name"]),
        ({"technique": "T1059", "target": "a\0b"}, ["target"]),
        ({"technique": "T1059", "commands": "x" * 100_001}, ["commands"]),
        ({"technique": "T1059", "started_at": "yesterday"}, ["started_at"]),
        ({"technique": "T1059", "started_at": "2026-01-02T00:00Z", "ended_at": "2026-01-01T00:00Z"}, ["ended_at"]),
        ({"technique": "T1059", "red_result": "perhaps"}, ["red_result"]),
        ({"technique": "T1059", "expected_outcome": "missed"}, ["expected_outcome"]),
        ({"technique": "T1059", "input_arguments": ["a"]}, ["input_arguments"]),
        ({"technique": "T1059", "cleanup_done": "perhaps"}, ["cleanup_done"]),
        ({"technique": "T1059\0"}, ["technique"]),
    ],
)
def test_what_cannot_be_a_test_is_refused_by_field(body, fields):
    make_technique("T1059")
    make_technique("T1086", revoked=True)
    refused(post(bearer(make_user("red_tech")), "", body), 400, *fields)
    assert not Test.objects.exists()


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "3", "{", '{"name": "a", "name": "b"}', b"\xed\xa0\x80"])
def test_what_is_no_object_is_refused(body):
    response = bearer(make_user("red_tech")).generic("POST", TESTS, body, content_type="application/json")
    assert response.status_code == 400


def test_lists_filter_and_order_and_leave_long_texts_out():
    red = make_user("red_tech", username="maria")
    first = make_test("T1059", by=red, name="Alpha", target="WS-1")
    second = make_test("T1053", state="validated", outcome="alerted", name="Beta")
    away = make_test("T1053", name="Gamma")
    archive_test(by=make_user("red_lead"), test=away)
    campaign = make_campaign("T1082")
    planned = campaign.tests.get()
    client = bearer()

    def found(**query):
        return [row["id"] for row in client.get(TESTS, query).json()["results"]]

    assert found() == [planned.pk, second.pk, first.pk]
    assert found(technique="t1053") == [second.pk]
    assert found(state="validated") == found(outcome="alerted") == [second.pk]
    assert found(campaign=campaign.pk) == [planned.pk]
    assert found(created_by="maria") == found(search="ws-1") == [first.pk]
    assert found(archived="true") == [away.pk]
    assert found(ordering="technique") == [second.pk, first.pk, planned.pk]
    assert "commands" not in client.get(TESTS).json()["results"][0]
    for name, value in {
        "state": "open",
        "outcome": "good",
        "archived": "maybe",
        "ordering": "target",
        "x": "y",
    }.items():
        refused(client.get(TESTS, {name: value}), 400, name)


def test_tests_decided_since_a_day_are_those_from_its_first_moment_in_utc():
    begins = datetime(2026, 3, 29, tzinfo=UTC)
    tick, tests = timedelta(microseconds=1), [make_test("T1053", state="validated") for _ in range(3)]
    for test, at in zip(tests, (begins - tick, begins, begins + timedelta(days=400)), strict=True):
        Test.objects.filter(pk=test.pk).update(decided_at=at)
    rows = bearer().get(TESTS, {"decided_since": "2026-03-29"}).json()["results"]
    assert {row["id"] for row in rows} == {tests[1].pk, tests[2].pk}


def test_lists_and_tests_cost_a_fixed_number_of_queries(django_assert_max_num_queries):
    client, campaign = bearer(), make_campaign("T1059")
    test = make_test("T1059", campaign=campaign, by=make_user("admin"))
    for _ in range(5):
        make_test("T1059", state="validated", outcome="alerted")
    with django_assert_max_num_queries(5):
        assert client.get(TESTS).json()["count"] == 7
    with django_assert_max_num_queries(11):
        client.get(f"{TESTS}/{test.pk}")


def test_a_draft_is_changed_field_by_field_and_keeps_the_rest():
    red = make_user("red_tech")
    test = make_test(by=red, target="WS-1")
    answer = patch(bearer(red), test, {"commands": "  whoami\n", "red_result": "blocked"}).json()
    assert (answer["commands"], answer["red_result"], answer["target"]) == ("  whoami\n", "blocked", "WS-1")
    assert (answer["version"], answer["last_action"]) == (2, "edited")


def test_outcomes_and_rules_are_replaced_as_whole_lists_and_the_headline_follows():
    make_technique("T1059")
    rule, blue = make_rule("T1059"), make_user("blue_tech", username="bert")
    test = make_test(started_at="2026-01-02T03:00:00Z")
    facts = [{"kind": "logged"}, {"kind": "alerted", "tool": "EDR", "at": "2026-01-02T03:01:00Z"}]
    answer = patch(bearer(blue), test, {"outcomes": facts, "detection_rules": [rule.pk], "version": 1}).json()
    assert (answer["outcome"], answer["time_to_detect"]) == ("alerted", 60.0)
    assert [(row["kind"], row["seen"], row["entered_by"]) for row in answer["outcomes"]] == [
        ("logged", True, "bert"),
        ("alerted", True, "bert"),
    ]
    assert answer["detection_rules"] == [{"id": rule.pk, "source": "sigma", "name": rule.name}]
    emptied = patch(bearer(blue), test, {"outcomes": [], "detection_rules": []}).json()
    assert (emptied["outcome"], emptied["outcomes"], emptied["detection_rules"]) == ("not_tested", [], [])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"technique": "T1053"}, "technique"),
        ({"campaign": 1}, "campaign"),
        ({"outcome": "prevented"}, "outcome"),
        ({"id": 5}, "id"),
        ({"version": 0}, "version"),
        ({"version": True}, "version"),
        ({"outcomes": {}}, "outcomes"),
        ({"outcomes": [{"kind": "missed"}]}, "outcomes"),
        ({"outcomes": [{"kind": "logged", "colour": "red"}]}, "outcomes"),
        ({"outcomes": [{"kind": "logged"}] * 101}, "outcomes"),
        ({"detection_rules": [999_999]}, "detection_rules"),
        ({"detection_rules": ["x"]}, "detection_rules"),
        ({"detection_rules": 7}, "detection_rules"),
        ({"blue_notes": None}, "blue_notes"),
    ],
)
def test_what_cannot_be_changed_is_refused_and_nothing_of_it_is_done(body, field):
    test = make_test()
    refused(patch(bearer(make_user("admin")), test, {"target": "WS-9", **body}), 400, field)
    test.refresh_from_db()
    assert (test.version, test.target) == (1, "")


@pytest.mark.parametrize("seen", ['"1"', 'W/"1"', "1"])
def test_who_saw_an_older_version_is_told_who_wrote_since(seen):
    red = make_user("red_tech", username="maria")
    test = make_test(by=red)
    client = bearer(red)
    assert patch(client, test, {"target": "A"}, **{"If-Match": seen}).status_code == 200
    problem = refused(patch(client, test, {"target": "B"}, **{"If-Match": seen}), 409)
    assert "maria edited it at" in problem["detail"]
    refused(patch(client, test, {"target": "B", "version": 1}), 409)
    refused(client.post(f"{TESTS}/{test.pk}/submit", {"version": 1}, format="json"), 409)
    for odd in ("abc", '"x"', '"2', "-1", "9" * 30):
        refused(patch(client, test, {"target": "B"}, **{"If-Match": odd}), 400, "If-Match")
    refused(patch(client, test, {"version": 2}, **{"If-Match": '"1"'}), 400, "If-Match")
    assert patch(client, test, {"target": "B"}, **{"If-Match": "*"}).json()["target"] == "B"


@pytest.mark.parametrize("state", ["in_review", "validated"])
def test_only_drafts_and_rejected_tests_are_changed(state):
    red = make_user("red_tech")
    test = make_test(by=red, state=state)
    assert "edit" in refused(patch(bearer(red), test, {"target": "B"}), 409)["detail"]
    rejected = make_test(by=red, state="rejected")
    assert patch(bearer(red), rejected, {"target": "B"}).json()["state"] == "draft"


def test_the_moves_of_a_test():
    red, lead = make_user("red_tech"), make_user("blue_lead", username="lena")
    test = make_test(by=red)
    assert post(bearer(red), f"{test.pk}/submit").json()["state"] == "in_review"
    refused(post(bearer(lead), f"{test.pk}/reject"), 400, "reason")
    refused(post(bearer(lead), f"{test.pk}/reject", {"reason": "  "}), 400, "reason")
    refused(post(bearer(lead), f"{test.pk}/reject", {"reason": "No log.", "note": "x"}), 400, "note")
    rejected = post(bearer(lead), f"{test.pk}/reject", {"reason": "No log."}).json()
    assert (rejected["state"], rejected["decided_by"], rejected["decision_note"]) == ("rejected", "lena", "No log.")
    patch(bearer(red), test, {"target": "B"})
    post(bearer(red), f"{test.pk}/submit")
    validated = post(bearer(lead), f"{test.pk}/validate", {"note": "Well done."}).json()
    assert (validated["state"], len(validated["decided_on_hash"])) == ("validated", 64)
    assert "is locked" in refused(post(bearer(red), f"{test.pk}/submit"), 409)["detail"]
    archived = post(bearer(lead), f"{test.pk}/archive").json()
    assert archived["archived_at"] is not None
    refused(post(bearer(lead), f"{test.pk}/archive"), 409)
    actions = AuditLog.objects.filter(object_type="coverage.test").order_by("id").values_list("action", flat=True)
    assert [action.removeprefix("test.") for action in actions] == [
        "created",
        "submitted",
        "rejected",
        "edited",
        "submitted",
        "validated",
        "archived",
    ]


@pytest.mark.parametrize("role", ROLES)
def test_every_move_answers_each_role_as_the_table_says(role):
    stranger = bearer(make_user(role))
    tech, lead = role in {"admin", "red_tech", "blue_tech"}, role in {"admin", "red_lead", "blue_lead"}
    technique = make_technique("T1059")
    waiting, other = make_test(state="in_review"), make_test(state="in_review")
    answers = {
        "create": post(stranger, "", {"technique": technique.mitre_id}).status_code,
        "edit": patch(stranger, make_test(), {"name": "New"}).status_code,
        "execute": patch(stranger, make_test(), {"commands": "x"}).status_code,
        "assess": patch(stranger, make_test(), {"blue_notes": "x"}).status_code,
        "submit": post(stranger, f"{make_test().pk}/submit").status_code,
        "validate": post(stranger, f"{waiting.pk}/validate").status_code,
        "reject": post(stranger, f"{other.pk}/reject", {"reason": "x"}).status_code,
        "archive": post(stranger, f"{waiting.pk}/archive").status_code,
        "review": stranger.patch("/api/v1/techniques/T1059/review", {}, format="json").status_code,
        "absent": stranger.get(f"{TESTS}/999999").status_code,
    }

    def when(allowed):
        return 200 if allowed else 403

    assert answers == {
        "create": 201 if tech else 403,
        "edit": when(role == "admin"),
        "execute": when(role in {"admin", "red_tech"}),
        "assess": when(role in {"admin", "blue_tech"}),
        "submit": when(role == "admin"),
        "validate": when(lead),
        "reject": when(lead),
        "archive": when(lead),
        "review": when(lead),
        "absent": 404,
    }


@pytest.mark.parametrize("role", ["admin", "red_tech"])
def test_nobody_decides_on_their_own_test(role):
    user = make_user(role)
    test = make_test(by=user, state="in_review")
    problem = refused(post(bearer(user), f"{test.pk}/validate"), 403)
    assert ("Four eyes" in problem["detail"]) == (role == "admin")


def test_nobody_at_all_writes_without_a_login():
    test = make_test()
    client = APIClient()
    for move in ("submit", "validate", "reject", "archive"):
        refused(client.post(f"{TESTS}/{test.pk}/{move}"), 401)
        refused(bearer(make_user("admin")).get(f"{TESTS}/{test.pk}/{move}"), 405)
    refused(client.get(TESTS), 401)
    refused(client.patch(f"{TESTS}/{test.pk}"), 401)
    refused(client.post(TESTS), 401)


def test_a_session_needs_the_token_against_forged_requests():
    make_technique("T1059")
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(make_user("red_tech"))
    refused(client.post(TESTS, {"technique": "T1059"}, format="json"), 403)
    assert not Test.objects.exists()


@pytest.mark.parametrize("move", ["submit", "validate", "reject", "archive"])
def test_moves_of_what_is_not_there(move):
    refused(post(bearer(make_user("admin")), f"999999/{move}", {"reason": "x"} if move == "reject" else {}), 404)


def test_a_technique_tells_its_status_and_lists_by_it():
    for mitre_id in ("T1053", "T1059", "T1082"):
        make_technique(mitre_id)
    test = make_test("T1059", state="validated", outcome="alerted")
    make_test("T1053")
    flag_for_review(techniques=["T1082"], reason=TechniqueCoverage.Reason.INTEL, text="In the news.")
    client = bearer()

    def found(**query):
        return [row["mitre_id"] for row in client.get("/api/v1/techniques", query).json()["results"]]

    assert found(status="validated") == ["T1059"]
    assert found(status="in_progress") == ["T1053"]
    assert found(status="not_covered") == ["T1082"]
    assert found(review_required="true") == ["T1082"]
    assert found(review_required="false") == ["T1053", "T1059"]
    assert (found(has_tests="true"), found(has_tests="false")) == (["T1053", "T1059"], ["T1082"])
    detail = client.get("/api/v1/techniques/T1059").json()
    assert (detail["status"], detail["proven"], detail["review_required"]) == ("validated", True, False)
    assert [row["id"] for row in detail["tests"]] == [test.pk]
    bare = make_technique("T1090").mitre_id
    answer = client.get(f"/api/v1/techniques/{bare}").json()
    assert (answer["status"], answer["proven"], answer["review_reasons"]) == ("not_covered", False, [])
    assert found(status="not_covered") == ["T1082", "T1090"]
    assert "T1090" in found(review_required="false")


def test_a_lead_takes_the_flag_down():
    make_technique("T1082")
    flag_for_review(techniques=["T1082"], reason=TechniqueCoverage.Reason.INTEL, text="In the news.")
    lead = bearer(make_user("red_lead", username="lena"))
    path = "/api/v1/techniques/t1082"
    assert lead.get(path).json()["review_reasons"][0]["text"] == "In the news."
    answer = lead.patch(f"{path}/review", {"note": "Read it."}, format="json").json()
    assert (answer["review_required"], answer["review_reasons"], answer["reviewed_by"]) == (False, [], "lena")
    refused(lead.patch(f"{path}/review", {"status": "validated"}, format="json"), 400, "status")
    refused(lead.patch("/api/v1/techniques/T9998/review", {}, format="json"), 404)
    refused(lead.get(f"{path}/review"), 405)
