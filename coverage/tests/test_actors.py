"""Threat actors with what tests have shown: bars in the list, gaps on the page of one, several beside each other."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import bearer, make_user
from catalog.tests.factories import make_release, make_rule, make_technique
from coverage.figures.actor_compare import compared
from coverage.figures.actors import actor_gaps, actor_rows, tactic_strips
from coverage.figures.shares import TechniqueFacts
from coverage.figures.standing import Standing
from coverage.gaps.query import known_actors
from coverage.gaps.ranking import CLAIMS_OF_GAPS
from coverage.models import Campaign, Test
from coverage.tests.factories import make_test
from intel.models import ThreatActor
from intel.tests.factories import make_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """Bear uses a proven, a missed and a claimed technique; Adder the proven one and one that nobody knows anything of."""
    for number, name in enumerate(("Proven", "Missed", "Claimed", "Nothing"), 1):
        make_technique(f"T100{number}", name=name, tactics=["execution"])
    make_rule("T1001")
    make_rule("T1003")
    make_actor("T1001", "T1002", "T1003", mitre_id="G0001", name="Bear", target_regions=["Europe"])
    make_actor("T1001", "T1004", mitre_id="G0002", name="Adder")
    make_test("T1001", state="validated", outcome="alerted")
    make_test("T1002", state="validated", outcome="missed")


@pytest.fixture
def lead(client):
    client.force_login(make_user(Role.RED_LEAD))
    return client


def test_list_says_how_many_techniques_of_each_actor_are_claimed_and_proven(world, lead):
    rows = actor_rows(ThreatActor.objects.order_by("name"), TechniqueFacts.now())
    shares = [(row.shares.techniques, row.shares.claimed, row.shares.proven, row.shares.missed) for row in rows]
    assert shares == [(2, 1, 1, 0), (3, 2, 1, 1)]
    html = lead.get("/actors").content.decode()
    assert '<b class="num">1</b> of 3 proven · 2 claimed · <span class="t-gap">1 missed</span>' in html
    assert '<b class="num">1</b> of 2 proven · 1 claimed</span>' in html


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("ordering=proven", ["Bear", "Adder", "Crane"]),
        ("ordering=-proven", ["Adder", "Bear", "Crane"]),
        ("coverage=gaps", ["Bear"]),
        ("coverage=some", ["Adder", "Bear"]),
        ("coverage=none", []),
        ("coverage=all", []),
    ],
)
def test_list_is_ordered_and_narrowed_by_what_is_proven(world, lead, asked, names):
    make_actor(mitre_id="G0003", name="Crane")
    assert [row.actor.name for row in lead.get(f"/actors?{asked}").context["rows"]] == names


def test_list_can_be_narrowed_to_a_region(world, lead):
    html = lead.get("/actors", {"region": "Europe"}).content.decode()
    assert ">Bear</a>" in html
    assert ">Adder</a>" not in html


def test_gaps_of_an_actor_are_its_unproven_techniques_missed_ones_first(world):
    bear = ThreatActor.objects.get(name="Bear")
    gaps = actor_gaps(bear, ["T1001", "T1002", "T1003"], Standing.now(CLAIMS_OF_GAPS))
    assert [gap.mitre_id for gap in gaps] == ["T1002", "T1003"]
    assert gaps[0].terms[0].arithmetic == "1 of 1 chosen actor × 2 = 2.00"


def test_strip_of_a_tactic_shows_each_technique_by_what_is_known(world):
    (strip,) = tactic_strips(Standing.now(CLAIMS_OF_GAPS), ["T1001", "T1002", "T1003"])
    assert (strip.tactic.shortname, strip.proven, strip.of, strip.width) == ("execution", 1, 4, 42)
    assert [(spot.mitre_id, spot.look, spot.x) for spot in strip.spots] == [
        ("T1001", "good", 0),
        ("T1002", "gap", 14),
        ("T1003", "claim", 28),
    ]


def test_campaign_is_built_from_the_gaps_of_an_actor(world, lead):
    html = lead.get("/actors/G0001").content.decode()
    ranked = html[html.index('id="gaps"') :]
    assert "Build a campaign from the gaps" in ranked
    assert '<input type="checkbox" name="technique" value="T1002" checked' in ranked
    assert 'name="technique" value="T1001"' not in html
    form = lead.post("/campaigns/new", {"technique": ["T1002", "T1003"]}).content.decode()
    assert 'value="T1002 T1003"' in form
    assert lead.post("/campaigns/new", {"name": "Gaps", "techniques": "T1002 T1003"}).status_code == 302
    campaign = Campaign.objects.get(name="Gaps")
    assert sorted(map(str, Test.objects.filter(campaign=campaign).values_list("technique", flat=True))) == [
        "T1002",
        "T1003",
    ]


def test_viewer_is_offered_no_campaign(world, client):
    client.force_login(make_user())
    html = client.get("/actors/G0001").content.decode()
    assert "Build a campaign" not in html
    assert 'name="technique"' not in html


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        ("", ["T1001", "T1002", "T1003", "T1004"]),
        ("shared", ["T1001"]),
        ("own", ["T1002", "T1003", "T1004"]),
        ("nonsense", ["T1001", "T1002", "T1003", "T1004"]),
    ],
)
def test_comparison_shows_what_actors_share_and_what_is_their_own(world, show, expected):
    comparison = compared(known_actors(), show)
    assert [row.mitre_id for row in comparison.rows] == expected
    columns = [(column.actor.name, column.shares.techniques, column.own) for column in comparison.columns]
    assert columns == [("Adder", 2, 1), ("Bear", 3, 2)]
    assert (comparison.shared.techniques, comparison.shared.proven, comparison.together.techniques) == (1, 1, 4)


def test_address_of_a_comparison_names_the_actors(world, lead, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        html = lead.get("/actors/compare?actor=G0001&actor=g0002&actor=G9999&actor=").content.decode()
    assert '<option value="G0001" selected>Bear</option>' in html
    assert "?actor=G0001&amp;actor=G0002&amp;show=shared" in html or "actor=G0001&amp;actor=G0002" in html
    assert "Choose two to five actors" in lead.get("/actors/compare?actor=G0001").content.decode()


def test_the_api_tells_filters_and_orders_by_what_is_proven(django_assert_num_queries):
    make_release()
    for number in (1, 2, 3):
        make_technique(f"T900{number}")
    make_rule("T9001", "T9002")
    make_test("T9001", state="validated", outcome="alerted")
    make_test("T9003", state="validated", outcome="missed")
    for number, uses in enumerate((["T9001"], ["T9001", "T9002"], ["T9003"], [])):
        make_actor(*uses, mitre_id=f"G900{number}")
    api = bearer()

    def found(asked):
        answer = api.get(f"/api/v1/threat-actors{asked}")
        assert answer.status_code == 200, answer.content
        return [row["mitre_id"] for row in answer.json()["results"]]

    assert found("?ordering=-proven") == ["G9000", "G9001", "G9002", "G9003"]
    assert found("?ordering=proven,-techniques") == ["G9002", "G9003", "G9001", "G9000"]
    assert found("?ordering=-proven_gaps,mitre_id")[0] == "G9002"
    assert (found("?coverage=all"), found("?coverage=some")) == (["G9000"], ["G9000", "G9001"])
    assert (found("?coverage=none"), found("?coverage=gaps")) == (["G9002"], ["G9002"])
    assert api.get("/api/v1/threat-actors?coverage=much").status_code == 400
    shares = {row["key"]: row for row in api.get("/api/v1/metrics/by-actor").json()}
    for mitre_id in ("G9000", "G9001", "G9002"):
        coverage = api.get(f"/api/v1/threat-actors/{mitre_id}").json()["coverage"]
        names = ("techniques", "claimed", "proven", "proven_gaps", "claimed_percent", "proven_percent")
        assert {name: coverage[name] for name in names} == {name: shares[mitre_id][name] for name in names}
    with CaptureQueriesContext(connection) as few:
        found("")
    for number in range(4, 9):
        make_actor("T9001", "T9002", mitre_id=f"G900{number}")
    with django_assert_num_queries(len(few)):
        found("")
