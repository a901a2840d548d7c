"""The pages of campaigns: planned from techniques or an actor, how far they are, and what a retest changed."""

import re
from datetime import date

import pytest

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_technique, make_template
from coverage.models import Campaign
from coverage.services.campaigns import duplicate_as_retest
from coverage.services.recording import Fact, set_outcomes
from coverage.tests.factories import make_campaign
from intel.tests.factories import make_actor, make_use

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(client):
    user = make_user(Role.RED_LEAD)
    client.force_login(user)
    return user


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_campaign_is_planned_from_techniques_and_people(client, lead):
    make_technique("T9001")
    make_technique("T9002")
    bob = make_user(Role.BLUE_TECH)
    sent = {"name": "Autumn", "goal": "See it all.", "starts_on": "2026-03-01", "ends_on": "2026-03-31"}
    answer = client.post("/campaigns/new", sent | {"techniques": "t9002, T9001", "participants": [bob.pk]})
    campaign = Campaign.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/campaigns/{campaign.pk}")
    assert [test.technique_id for test in campaign.tests.in_campaign_order()] == ["T9002", "T9001"]
    assert set(campaign.participants.all()) == {lead, bob}
    assert "1 Mar 2026 – 31 Mar 2026" in words(client.get(f"/campaigns/{campaign.pk}"))


def test_a_campaign_is_planned_from_an_actor(client, lead):
    make_technique("T9001")
    actor = make_actor()
    make_use(actor, "T9001")
    assert f'value="{actor.mitre_id}"' in client.get(f"/campaigns/new?actor={actor.mitre_id}").content.decode()
    client.post("/campaigns/new", {"name": "Like them", "actor": actor.mitre_id})
    assert [test.technique_id for test in Campaign.objects.get().tests.all()] == ["T9001"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"techniques": "T1 T9999"}, "No active technique has the id T1, T9999."),
        ({"actor": "G9"}, "No active actor has the id G9."),
        ({"starts_on": "2026-03-02", "ends_on": "2026-03-01"}, "The campaign ends before it starts."),
        ({"starts_on": "soon"}, "Enter a valid date."),
    ],
)
def test_a_plan_that_does_not_work_is_refused_in_words(client, lead, wrong, said):
    answer = client.post("/campaigns/new", {"name": "Autumn"} | wrong)
    assert (answer.status_code, Campaign.objects.count()) == (400, 0)
    assert said in answer.content.decode()


def test_page_counts_states_and_outcomes_and_lists_tests_in_order(client, lead):
    campaign = make_campaign("T9001", "T9002", by=lead, name="<b>Autumn</b>")
    set_outcomes(
        by=lead if lead.role == Role.ADMIN else make_user(Role.ADMIN),
        test=campaign.tests.first(),
        facts=[Fact(kind="alerted")],
    )
    answer = client.get(f"/campaigns/{campaign.pk}")
    assert {mark.series.field: mark.value for mark in answer.context["outcomes"].drawn[0].marks} == {
        "prevented": 0,
        "alerted": 1,
        "logged": 0,
        "missed": 0,
        "not_tested": 1,
    }
    assert "Decided 0 of 2" in words(answer)
    assert "<b>Autumn</b>" not in answer.content.decode()
    assert "Autumn" in words(client.get("/campaigns"))


def test_a_retest_stands_beside_the_run_before(client, lead):
    campaign = make_campaign("T9001", by=lead)
    answer = client.post(f"/campaigns/{campaign.pk}/retest")
    retest = Campaign.objects.get(retest_of=campaign)
    assert answer["Location"] == f"/campaigns/{retest.pk}"
    page = client.get(f"/campaigns/{retest.pk}")
    assert [pair.change for pair in page.context["comparisons"]] == ["pending"]
    assert "Compared with the run before" in words(page)


def test_viewers_read_campaigns_and_plan_none(client):
    campaign = make_campaign("T9001")
    client.force_login(make_user())
    assert client.get(f"/campaigns/{campaign.pk}").status_code == 200
    assert "New campaign" not in client.get("/campaigns").content.decode()
    assert client.get("/campaigns/new").status_code == 403
    assert client.post(f"/campaigns/{campaign.pk}/retest").status_code == 403


def test_pages_cost_the_same_whatever_they_hold(client, lead, django_assert_max_num_queries):
    campaign = make_campaign(*(f"T90{number:02}" for number in range(8)), by=lead)
    retest = duplicate_as_retest(by=lead, campaign=campaign)
    for _ in range(5):
        make_campaign()
    with django_assert_max_num_queries(6):
        client.get("/campaigns")
    with django_assert_max_num_queries(10):
        client.get(f"/campaigns/{retest.pk}")


def test_the_plan_can_be_changed_and_who_was_switched_off_stays(client, lead):
    away = make_user(Role.BLUE_TECH, is_active=False)
    campaign = make_campaign("T9001", by=lead, participants=[away])
    assert f'value="{campaign.name}"' in client.get(f"/campaigns/{campaign.pk}/edit").content.decode()
    sent = {"name": "Winter", "goal": "More.", "starts_on": "2026-12-01", "participants": [lead.pk]}
    assert client.post(f"/campaigns/{campaign.pk}/edit", sent)["Location"] == f"/campaigns/{campaign.pk}"
    campaign.refresh_from_db()
    assert (campaign.name, campaign.goal, str(campaign.starts_on)) == ("Winter", "More.", "2026-12-01")
    assert set(campaign.participants.all()) == {lead, away}
    wrong = client.post(f"/campaigns/{campaign.pk}/edit", sent | {"ends_on": "2026-11-01"})
    assert (wrong.status_code, "The campaign ends before it starts." in wrong.content.decode()) == (400, True)


def test_tests_are_added_from_techniques_and_from_their_templates(client, lead):
    campaign = make_campaign("T9001", by=lead)
    make_technique("T9002")
    make_technique("T9003")
    template = make_template("T9002", name="Run it", attack_commands="whoami", executors=[])
    make_template("T9004", name="Of another technique")
    asked = client.get(f"/campaigns/{campaign.pk}/add?techniques=T9002+T9003").content.decode()
    assert ("Run it" in asked, "Of another technique" in asked) == (True, False)
    sent = {"techniques": "T9002 T9003", "templates": [template.pk]}
    assert client.post(f"/campaigns/{campaign.pk}/add", sent).status_code == 302
    tests = campaign.tests.in_campaign_order()
    assert [(test.technique_id, test.commands) for test in tests] == [
        ("T9001", ""),
        ("T9003", ""),
        ("T9002", "whoami"),
    ]


def test_tests_change_places_by_button(client, lead):
    campaign = make_campaign("T9001", "T9002", "T9003", by=lead)
    first, second, third = campaign.tests.in_campaign_order().values_list("pk", flat=True)

    def order(**sent):
        answer = client.post(f"/campaigns/{campaign.pk}/order", sent)
        assert answer["Location"].removesuffix("#tests") == f"/campaigns/{campaign.pk}"
        return list(campaign.tests.in_campaign_order().values_list("pk", flat=True))

    assert order(up=third) == [first, third, second]
    assert order(down=first) == [third, first, second]
    assert order(up=third) == [third, first, second]
    assert order(up="nonsense") == [third, first, second]
    assert order(order=[second, first, third]) == [second, first, third]
    for wrong in ([second, first], [second, first, third, third], [second, first, 9**18], ["x", "1" * 30]):
        assert order(order=wrong) == [second, first, third]
    part = client.post(f"/campaigns/{campaign.pk}/order", {"down": third}, headers={"HX-Request": "true"})
    assert part.content.decode().strip().startswith('<section class="panel" id="tests-panel"')


def test_an_archived_campaign_offers_no_change_and_takes_none(client, lead):
    campaign = make_campaign("T9001", "T9002", by=lead)
    assert client.post(f"/campaigns/{campaign.pk}/archive", {"note": "Over."}).status_code == 302
    html = client.get(f"/campaigns/{campaign.pk}").content.decode()
    assert "Archived on" in html
    assert not re.search(rf"/campaigns/{campaign.pk}/(edit|add|order|archive)", html)
    for path, sent in (("edit", {"name": "X"}), ("add", {"techniques": "T9001"}), ("order", {}), ("archive", {})):
        client.post(f"/campaigns/{campaign.pk}/{path}", sent)
        assert "This campaign was archived at" in words(client.get(f"/campaigns/{campaign.pk}")), path
    assert campaign.tests.count() == 2


def test_viewers_change_no_campaign(client):
    campaign = make_campaign("T9001")
    client.force_login(make_user())
    for path in ("edit", "add", "order", "archive"):
        assert client.post(f"/campaigns/{campaign.pk}/{path}").status_code == 403, path


def test_the_plan_is_chosen_from_a_calendar_and_from_actors_by_name(client, lead):
    make_technique("T9001")
    actor, revoked = make_actor(name="Quiet Fox"), make_actor(name="Old Fox", revoked=True)
    page = client.get("/campaigns/new").content.decode()
    for day in ("starts_on", "ends_on"):
        assert re.search(rf'<input type="date" name="{day}" class="input"', page)
    assert f'<option value="{actor.mitre_id}">Quiet Fox ({actor.mitre_id})</option>' in page
    assert f'value="{revoked.mitre_id}"' not in page


def test_templates_to_tick_say_whose_they_are(client, lead):
    make_technique("T9001")
    make_technique("T9002")
    make_template("T9001", name="First way")
    make_template("T9002", name="Second way")
    said = words(client.get("/campaigns/new?techniques=T9001+T9002"))
    assert "T9001 · First way · Atomic" in said
    assert "T9002 · Second way · Atomic" in said


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ({"starts_on": date(2026, 3, 1)}, "from 1 Mar 2026"),
        ({"ends_on": date(2026, 3, 31)}, "until 31 Mar 2026"),
    ],
    ids=["start alone", "end alone"],
)
def test_half_a_period_reads_as_words(client, lead, days, said):
    campaign = make_campaign(**days)
    assert said in words(client.get(f"/campaigns/{campaign.pk}"))
