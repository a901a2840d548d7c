"""Campaigns in the API: planned, followed, changed, repeated and compared."""

import pytest
from rest_framework.test import APIClient

from aegis.accounts.policy import ROLES
from aegis.accounts.tests.factories import bearer, make_user
from catalog.tests.factories import make_technique, make_template
from coverage.models import Campaign
from coverage.services.campaigns import archive_campaign
from coverage.services.recording import edit_test, set_outcomes
from coverage.tests.factories import facts_for, make_campaign, make_test
from intel.tests.factories import make_actor

pytestmark = pytest.mark.django_db
CAMPAIGNS = "/api/v1/campaigns"


@pytest.fixture
def lead():
    return make_user("red_lead", username="lena")


@pytest.fixture
def api(lead):
    return bearer(lead)


def refused(response, status, *fields):
    """The problem that a response is, which names exactly these fields; fails if it is anything else."""
    assert response.status_code == status, response.content[:500]
    assert response["Content-Type"] == "application/problem+json"
    assert sorted(response.json().get("errors", {})) == sorted(fields), response.json()
    return response.json()


def test_a_campaign_is_planned_from_techniques_templates_and_an_actor(api):
    for mitre_id in ("T1053", "T1059", "T1082"):
        make_technique(mitre_id)
    template, actor = make_template("T1082", name="Ask"), make_actor("T1059", "T1053")
    make_user(username="bert")
    body = {
        "name": "Spring",
        "goal": "See more.",
        "starts_on": "2026-03-01",
        "ends_on": "2026-03-31",
        "participants": ["bert"],
        "techniques": ["t1082", "T1082"],
        "templates": [template.pk],
        "actor": actor.mitre_id,
    }
    response = api.post(CAMPAIGNS, body, format="json")
    assert response.status_code == 201
    campaign = response.json()
    assert [row["technique"] for row in campaign["tests"]] == ["T1082", "T1053", "T1059", "T1082"]
    assert (campaign["participants"], campaign["created_by"]) == (["bert", "lena"], "lena")
    assert (campaign["actor"], campaign["starts_on"], campaign["tests_total"]) == (actor.mitre_id, "2026-03-01", 4)
    assert campaign["progress"]["states"] == {"draft": 4, "in_review": 0, "validated": 0, "rejected": 0}
    assert bearer().get(f"{CAMPAIGNS}/{campaign['id']}").json() == campaign


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "a", "techniques": ["T9998"]}, "techniques"),
        ({"name": "a", "techniques": "T1059"}, "techniques"),
        ({"name": "a", "techniques": ["T1086"]}, "technique"),
        ({"name": "a", "templates": [999_999]}, "templates"),
        ({"name": "a", "templates": ["x"]}, "templates"),
        ({"name": "a", "actor": "G9998"}, "actor"),
        ({"name": "a", "participants": ["nobody"]}, "participants"),
        ({"name": "a", "starts_on": "soon"}, "starts_on"),
        ({"name": "a", "starts_on": "2026-02-02", "ends_on": "2026-02-01"}, "non_field_errors"),
        ({"name": "a", "goal": "a\0b"}, "goal"),
        ({"name": "a", "created_by": "lena"}, "created_by"),
    ],
)
def test_what_cannot_be_a_campaign_is_refused_by_field(api, body, field):
    make_technique("T1059")
    make_technique("T1086", revoked=True)
    refused(api.post(CAMPAIGNS, body, format="json"), 400, field)
    assert not Campaign.objects.exists()


def test_lists_filter_and_order(api, lead):
    first, second = make_campaign("T1059", by=lead, name="Alpha"), make_campaign(name="Beta", actor=make_actor())
    away = make_campaign(by=lead, name="Gamma")
    archive_campaign(by=lead, campaign=away)

    def found(**query):
        return [row["id"] for row in api.get(CAMPAIGNS, query).json()["results"]]

    assert found() == [second.pk, first.pk]
    assert found(search="alp") == found(participant="lena") == [first.pk]
    assert found(actor=second.actor_id.lower()) == [second.pk]
    assert found(archived="true") == [away.pk]
    assert found(ordering="name") == [first.pk, second.pk]
    refused(api.get(CAMPAIGNS, {"state": "open"}), 400, "state")


def test_lists_and_campaigns_cost_a_fixed_number_of_queries(api, django_assert_max_num_queries):
    campaign = make_campaign(*(f"T10{number}" for number in range(10, 20)))
    for _ in range(5):
        make_campaign("T1059")
    with django_assert_max_num_queries(5):
        assert api.get(CAMPAIGNS).json()["count"] == 6
    with django_assert_max_num_queries(7):
        assert api.get(f"{CAMPAIGNS}/{campaign.pk}").json()["tests_total"] == 10


def test_a_campaign_is_changed_and_an_archived_one_is_not(api, lead):
    campaign = make_campaign(by=lead)
    make_user(username="bert")
    path = f"{CAMPAIGNS}/{campaign.pk}"
    answer = api.patch(path, {"goal": "More.", "participants": ["bert"]}, format="json").json()
    assert (answer["goal"], answer["participants"], answer["name"]) == ("More.", ["bert"], campaign.name)
    refused(api.patch(path, {"techniques": ["T1059"]}, format="json"), 400, "techniques")
    refused(api.patch(path, {"participants": ["nobody"]}, format="json"), 400, "participants")
    assert api.post(f"{path}/archive", {"note": "Over."}, format="json").json()["archived_at"] is not None
    for response in (api.patch(path, {"goal": "x"}, format="json"), api.post(f"{path}/archive")):
        assert "was archived at" in refused(response, 409)["detail"]


def test_tests_are_added_at_the_end(api, lead):
    campaign = make_campaign("T1059", by=lead)
    make_technique("T1053")
    path = f"{CAMPAIGNS}/{campaign.pk}/tests"
    added = api.post(path, {"techniques": ["T1053", "T1059"]}, format="json")
    assert added.status_code == 201
    assert [(row["technique"], row["position"]) for row in added.json()] == [("T1053", 2), ("T1059", 3)]
    refused(api.post(path, {}, format="json"), 400, "techniques")
    refused(api.post(path, {"templates": [999_999]}, format="json"), 400, "templates")


def test_progress_counts_states_outcomes_and_the_time_to_detect(api):
    admin = make_user("admin")
    campaign = make_campaign("T1053", by=admin)
    test = make_test("T1059", by=admin, campaign=campaign, state="validated", outcome="alerted")
    timed = campaign.tests.exclude(pk=test.pk).get()
    edit_test(by=admin, test=timed, changes={"started_at": "2026-01-02T03:00Z", "detected_at": "2026-01-02T03:01Z"})
    progress = api.get(f"{CAMPAIGNS}/{campaign.pk}").json()["progress"]
    assert progress == {
        "total": 2,
        "decided": 1,
        "percent": 50,
        "states": {"draft": 1, "in_review": 0, "validated": 1, "rejected": 0},
        "outcomes": {"not_tested": 1, "missed": 0, "logged": 0, "alerted": 1, "prevented": 0},
        "detected": 1,
        "time_to_detect": 60.0,
    }


def test_a_retest_repeats_the_plan_and_is_compared_with_what_it_repeats(api):
    admin = make_user("admin")
    campaign = make_campaign("T1053", "T1059", by=admin)
    first, _ = campaign.tests.in_campaign_order()
    set_outcomes(by=admin, test=first, facts=facts_for("missed"))
    response = bearer(admin).post(f"{CAMPAIGNS}/{campaign.pk}/retest", {"name": "Again"}, format="json")
    assert response.status_code == 201
    retest = response.json()
    assert (retest["name"], retest["retest_of"]) == ("Again", campaign.pk)
    again, _ = Campaign.objects.get(pk=retest["id"]).tests.in_campaign_order()
    set_outcomes(by=admin, test=again, facts=facts_for("alerted"))
    path = f"{CAMPAIGNS}/{retest['id']}/compare"
    rows = api.get(path).json()
    assert [row["change"] for row in rows] == ["better", "pending"]
    assert (rows[0]["first"]["outcome"], rows[0]["second"]["outcome"]) == ("missed", "alerted")
    other = make_campaign("T1082")
    changes = {row["change"]: row for row in api.get(path, {"with": other.pk}).json()}
    assert set(changes) == {"new", "gone"}
    assert (changes["new"]["first"], changes["gone"]["second"]) == (None, None)


@pytest.mark.parametrize("named", ["999999", "x", "", "-1", "9" * 30])
def test_what_cannot_be_compared_is_refused(api, named):
    campaign = make_campaign("T1059")
    refused(api.get(f"{CAMPAIGNS}/{campaign.pk}/compare", {"with": named}), 400, "with")
    refused(api.get(f"{CAMPAIGNS}/{campaign.pk}/compare"), 400, "with")
    refused(api.get(f"{CAMPAIGNS}/{campaign.pk}/compare", {"to": "1"}), 400, "to")


@pytest.mark.parametrize("role", ROLES)
def test_everybody_reads_campaigns_and_all_but_viewers_plan_them(role):
    client, campaign = bearer(make_user(role)), make_campaign("T1059")
    path, may = f"{CAMPAIGNS}/{campaign.pk}", role != "viewer"
    assert [client.get(address).status_code for address in (CAMPAIGNS, path)] == [200, 200]
    answers = [
        client.post(CAMPAIGNS, {"name": "New"}, format="json").status_code,
        client.patch(path, {"goal": "x"}, format="json").status_code,
        client.post(f"{path}/tests", {"techniques": ["T1059"]}, format="json").status_code,
        client.post(f"{path}/retest").status_code,
        client.post(f"{path}/archive").status_code,
    ]
    assert answers == ([201, 200, 201, 201, 200] if may else [403] * 5)


def test_campaigns_that_are_not_there_and_visitors_without_a_login(api):
    for part, method in (("", "patch"), ("", "get"), ("/tests", "post"), ("/retest", "post"), ("/compare", "get")):
        address = f"{CAMPAIGNS}/999999{part}"
        refused(getattr(api, method)(address, {}, format="json" if method != "get" else None), 404)
        refused(getattr(APIClient(), method)(address), 401)
