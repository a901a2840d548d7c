"""The next best campaign: no plan of its size proves more, and one click creates what was shown."""

from itertools import combinations

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.accounts.tests.factories import bearer, make_user
from catalog.tests.factories import make_release, make_technique, make_template
from coverage.figures.standing import Known, Standing
from coverage.gaps.next_campaign import PlanFacts, Recipe, next_campaign
from coverage.gaps.query import Chosen, GapForm, GapQuery, known_actors
from coverage.models import Campaign
from coverage.tests.factories import make_test
from intel.tests.factories import make_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """T9001 is of both actors and T9002 proven; T9003 has no template, of T9004 a test is under way."""
    make_release()
    for number in range(1, 6):
        make_technique(f"T900{number}")
    make_actor("T9001", "T9002", mitre_id="G0001", name="First", target_sectors=["Energy"])
    make_actor("T9001", "T9003", "T9004", "T9005", mitre_id="G0002", name="Second")
    make_template("T9001", source="caldera", name="An ability")
    make_template("T9001", source="atomic", name="Some atomic test")
    make_template("T9005", source="lolbas", name="A command")
    make_test("T9002", state="validated", outcome="alerted")
    make_test("T9004")


def plan_of(**fields):
    query = GapQuery(**fields)
    return next_campaign(PlanFacts.now(query), query)


def test_largest_gains_come_first_and_of_equal_ones_those_with_a_template(world):
    plan = plan_of()
    assert [(pick.mitre_id, pick.actors, pick.gain, pick.template and pick.template.name) for pick in plan.picks] == [
        ("T9001", 2, 37.5, "Some atomic test"),
        ("T9005", 1, 12.5, "A command"),
        ("T9003", 1, 12.5, None),
    ]
    assert (plan.before, plan.after, plan.open_tests, plan.left, plan.without_template) == (25.0, 87.5, 1, 0, 1)
    assert [(line.name, line.techniques, line.before, line.after) for line in plan.lines] == [
        ("Second", 4, 0, 3),
        ("First", 2, 1, 2),
    ]


def test_the_budget_holds(world):
    plan = plan_of(tests=1)
    assert ([pick.mitre_id for pick in plan.picks], plan.left) == (["T9001"], 2)


def test_actors_and_sectors_are_chosen(world):
    assert [pick.mitre_id for pick in plan_of(actors=("G0001",)).picks] == ["T9001"]
    assert [pick.mitre_id for pick in plan_of(sectors=("Energy",)).picks] == ["T9001"]


def test_the_api_gives_the_plan_of_the_page(world):
    answer = bearer().get("/api/v1/metrics/next-campaign?actor=G0002&tests=2").json()
    wanted = plan_of(actors=("G0002",), tests=2)
    assert [(pick["mitre_id"], pick["gain"]) for pick in answer["picks"]] == [
        (pick.mitre_id, pick.gain) for pick in wanted.picks
    ]
    assert (answer["budget"], answer["before"], answer["after"], answer["left"]) == (2, 0.0, 50.0, 1)
    assert answer["actors"][0]["mitre_id"] == "G0002"


def posted(client, **more):
    form = GapForm(QueryDict("tests=3"), known_actors())
    plan = next_campaign(PlanFacts.now(form.query), form.query)
    seen = " ".join(f"{pick.mitre_id}:{pick.template.pk if pick.template else '-'}" for pick in plan.picks)
    return client.post("/campaigns/next/create", {"tests": "3", "seen": seen} | more)


def test_one_click_creates_the_campaign_that_was_shown(client, world):
    client.force_login(make_user("blue_tech"))
    assert "no template: write the procedure" in client.get("/campaigns/next").content.decode()
    response = posted(client)
    campaign = Campaign.objects.get()
    assert (response.status_code, response.url) == (302, campaign.get_absolute_url())
    assert {(test.technique_id, test.name.startswith("Some atomic")) for test in campaign.tests.all()} == {
        ("T9001", True),
        ("T9005", False),
        ("T9003", False),
    }
    assert campaign.goal == "Raise the proven coverage of the chosen actors from 25.0 % to 87.5 %."


def test_a_plan_that_changed_is_shown_before_it_is_created(client, world):
    client.force_login(make_user("red_lead"))
    response = posted(client, seen="T9001:1")
    assert response.status_code == 409
    assert "The best plan has changed since you looked" in response.content.decode()
    assert not Campaign.objects.exists()


def test_viewers_see_the_plan_and_cannot_create_it(client, world):
    client.force_login(make_user("viewer"))
    assert "Create this campaign" not in client.get("/campaigns/next").content.decode()
    assert posted(client).status_code == 403


@pytest.mark.parametrize("query", ["tests=0", "tests=51", "tests=many", "actor=G9999"])
def test_the_page_says_what_is_wrong_with_the_address(client, world, query):
    client.force_login(make_user("viewer"))
    assert client.get(f"/campaigns/next?{query}").status_code == 400


@pytest.mark.parametrize("path", ["/gaps", "/gaps?actor=G0001&w_ease=3", "/campaigns/next", "/campaigns/next?tests=2"])
def test_pages_take_fifteen_queries_at_the_most(client, world, path, django_assert_max_num_queries):
    client.force_login(make_user("red_lead"))
    for number in range(30):
        make_technique(f"T8{number:03}")
        make_actor(f"T8{number:03}")
    with django_assert_max_num_queries(15):
        assert client.get(path).status_code == 200


def test_the_gap_page_prints_the_ranking_of_the_api(client, world):
    client.force_login(make_user("viewer"))
    words = " ".join(client.get("/gaps?actor=G0002&w_need=4").content.decode().split())
    rows = bearer().get("/api/v1/metrics/gaps?actor=G0002&w_need=4").json()["results"]
    assert [row["mitre_id"] for row in rows] == sorted((row["mitre_id"] for row in rows), key=words.index)
    for row in rows:
        assert all(term["words"] in words for term in row["terms"])
        assert f"{row['score']:.2f}</td>" in words


def test_a_wrong_weight_is_said_and_the_usual_one_counts(client, world):
    client.force_login(make_user("viewer"))
    response = client.get("/gaps?w_need=99")
    assert response.status_code == 400
    assert "less than or equal to 10" in response.content.decode()
    assert response.context["query"].weights.need == 1.0


IDS = ["T1", "T2", "T3", "T4", "T5"]


@settings(max_examples=60, deadline=None)
@given(
    uses=st.dictionaries(st.sampled_from(["A", "B", "C"]), st.frozensets(st.sampled_from(IDS)), min_size=1),
    proven=st.frozensets(st.sampled_from(IDS)),
    budget=st.integers(1, 4),
)
def test_no_other_plan_of_that_size_proves_more(uses, proven, budget):
    standing = Standing(
        release="",
        techniques={mitre_id: Known(mitre_id, proven=mitre_id in proven) for mitre_id in IDS},
        tactics={},
        claims={},
    )
    chosen = [Chosen(actor, actor, ()) for actor in uses]
    facts = PlanFacts(standing=standing, chosen=chosen, uses=uses, recipes={"T2": Recipe(1, "A test", "atomic")})
    plan = next_campaign(facts, GapQuery(tests=budget))

    def mean(extra):
        shares = [len(used & (proven | extra)) / len(used) for used in uses.values() if used]
        return sum(shares) / len(shares) if shares else 0.0

    best = max(mean(frozenset(some)) for some in combinations(IDS, budget))
    assert mean(frozenset(pick.mitre_id for pick in plan.picks)) == pytest.approx(best)
    assert len(plan.picks) <= budget
    assert all(pick.gain > 0 for pick in plan.picks)
