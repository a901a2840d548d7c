"""The gap ranking: its order, its arithmetic to the last cent, and the weights that people choose."""

import pytest
from django.http import QueryDict
from hypothesis import given, settings
from hypothesis import strategies as st

from aegis.accounts.tests.factories import bearer
from catalog.models import Software, SoftwareTechnique
from catalog.tests.factories import (
    make_defence,
    make_release,
    make_rule,
    make_technique,
    make_template,
    provenance,
    resolved,
)
from compliance.tests.factories import make_control
from coverage.figures.standing import Known, Standing
from coverage.gaps.query import GapForm, GapQuery, Weights, chosen_actors, known_actors
from coverage.gaps.ranking import GapFacts, ranked_gaps
from coverage.tests.factories import make_test
from intel.tests.factories import make_actor

pytestmark = pytest.mark.django_db


def make_software(published_id, **fields):
    number = Software.objects.count()
    software = Software.objects.create(
        mitre_id=f"S{number:04}",
        stix_id=f"malware--{number}",
        name="Tool",
        kind="tool",
        **provenance("attack") | fields,
    )
    SoftwareTechnique.objects.create(software=software, **resolved(published_id))


@pytest.fixture
def world():
    """Four techniques: one missed by tests, one that many use, one with a test under way, one proven."""
    make_release()
    for mitre_id in ("T9001", "T9002", "T9003", "T9004"):
        make_technique(mitre_id)
    make_test("T9001", state="validated", outcome="missed")
    make_test("T9003")
    make_test("T9004", state="validated", outcome="alerted")
    for sector, techniques in (("Energy", ("T9002", "T9004")), ("Energy", ("T9002",)), ("Retail", ("T9001", "T9003"))):
        make_actor(*techniques, target_sectors=[sector], mitre_id=f"G0{len(known_actors()) + 1:03}")
    make_software("T9002")
    make_software("T9002", revoked=True)
    make_template("T9002")
    make_rule("T9002")
    make_defence("T9002")
    make_control("T9001")


def ranking(query=None):
    query = query or GapQuery()
    return ranked_gaps(GapFacts.now(query), query)


def asked(text):
    return GapForm(QueryDict(text), known_actors())


def test_what_is_proven_is_no_gap(world):
    assert [(gap.rank, gap.mitre_id, gap.score) for gap in ranking()] == [
        (1, "T9002", 3.21),
        (2, "T9001", 2.13),
        (3, "T9003", 1.25),
    ]


def test_a_row_prints_the_arithmetic_of_its_score(world):
    assert ranking()[0].arithmetic == (
        "2 of 3 actors × 2 = 1.33 + 3 of at most 3 actors and software × 1 = 1.00 + "
        "no validated test met what it expected (0.5) × 1 = 0.50"
        " + 3 of 4 at hand (template, rule, D3FEND) × 0.5 = 0.38; 3.21"
    )
    assert ranking()[1].arithmetic == (
        "1 of 3 actors × 2 = 0.67 + 1 of at most 3 actors and software × 1 = 0.33 + validated tests only missed (1) × 1 = 1.00"
        " + 1 of 4 at hand (control) × 0.5 = 0.13; 2.13"
    )


def test_chosen_actors_and_sectors_change_what_counts(world):
    chosen = ranking(GapQuery(actors=("G0003",)))
    assert [(gap.mitre_id, gap.terms[0].words) for gap in chosen] == [
        ("T9001", "1 of 1 chosen actor"),
        ("T9003", "1 of 1 chosen actor"),
        ("T9002", "0 of 1 chosen actor"),
    ]
    assert [actor.mitre_id for actor in chosen_actors(GapQuery(sectors=("Energy",)), known_actors())] == [
        "G0001",
        "G0002",
    ]
    both = GapQuery(actors=("G0003",), sectors=("Energy",))
    assert {gap.mitre_id: gap.terms[0].points for gap in ranking(both)} == {"T9002": 1.33, "T9001": 0.67, "T9003": 0.67}


def test_weights_come_from_the_address(world):
    form = asked("w_actors=0&w_prevalence=0&w_need=3.5&w_ease=0")
    assert form.query.weights == Weights(actors=0, prevalence=0, need=3.5, ease=0)
    assert [(gap.mitre_id, gap.score) for gap in ranking(form.query)] == [
        ("T9001", 3.5),
        ("T9002", 1.75),
        ("T9003", 0.88),
    ]
    assert QueryDict(form.query.address).dict() == {
        "w_actors": "0",
        "w_prevalence": "0",
        "w_need": "3.5",
        "w_ease": "0",
    }


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("w_need=-1", "w_need"),
        ("w_need=10.5", "w_need"),
        ("w_need=nan", "w_need"),
        ("w_need=inf", "w_need"),
        ("w_need=much", "w_need"),
        ("actor=G9999", "actor"),
        ("sector=Nowhere", "sector"),
        ("actor=%00", "actor"),
    ],
)
def test_what_cannot_be_weighed_is_refused(world, address, field):
    assert list(asked(address).errors) == [field]
    refusal = bearer().get(f"/api/v1/metrics/gaps?{address}")
    assert (refusal.status_code, list(refusal.json()["errors"])) == (400, [field])


def test_actors_go_by_id_in_any_case_and_count_once(world):
    assert asked("actor=g0003&actor=G0003").query.actors == ("G0003",)


def test_the_api_ranks_as_the_page_does(world):
    answer = bearer().get("/api/v1/metrics/gaps?actor=G0003&w_ease=1&page_size=2").json()
    wanted = ranking(GapQuery(actors=("G0003",), weights=Weights(ease=1.0)))
    assert (answer["count"], answer["chosen_actors"], answer["release"]) == (3, ["G0003"], "enterprise-attack 18.1")
    assert [(row["rank"], row["mitre_id"], row["score"], row["arithmetic"]) for row in answer["results"]] == [
        (gap.rank, gap.mitre_id, gap.score, gap.arithmetic) for gap in wanted[:2]
    ]
    assert answer["weights"] == {"actors": 2.0, "prevalence": 1.0, "need": 1.0, "ease": 1.0}


def test_the_api_knows_no_other_parameters(world):
    assert bearer().get("/api/v1/metrics/gaps?weight=1").status_code == 400
    assert bearer().get("/api/v1/metrics/gaps?w_need=1&w_need=2").status_code == 400


def test_facts_take_seven_queries_however_many_rows(world, django_assert_max_num_queries):
    for number in range(20):
        make_technique(f"T8{number:03}")
        make_actor(f"T8{number:03}", "T9001")
    with django_assert_max_num_queries(7):
        GapFacts.now(GapQuery(actors=("G0001",)))


IDS = [f"T{number}" for number in range(6)]
NUMBERS = st.dictionaries(st.sampled_from(IDS), st.integers(1, 9))


@settings(max_examples=60, deadline=None)
@given(
    using=NUMBERS,
    users=NUMBERS,
    proven=st.sets(st.sampled_from(IDS)),
    weight=st.floats(0, 10),
    hand=st.dictionaries(st.sampled_from(["templates", "rules", "defences", "controls"]), NUMBERS),
)
def test_printed_points_always_add_up_and_the_order_is_that_of_the_scores(using, users, proven, weight, hand):
    query = GapQuery(weights=Weights(actors=weight))
    none: dict[str, dict[str, int]] = {"templates": {}, "rules": {}, "defences": {}, "controls": {}}
    facts = GapFacts(
        standing=Standing(
            release="",
            techniques={mitre_id: Known(mitre_id, proven=mitre_id in proven) for mitre_id in IDS},
            tactics={},
            claims=none,
        ),
        using=using,
        users=users,
        at_hand=none | hand,
    )
    gaps = ranked_gaps(facts, query)
    assert {gap.mitre_id for gap in gaps} == set(IDS) - proven
    assert [gap.score for gap in gaps] == sorted((gap.score for gap in gaps), reverse=True)
    for gap in gaps:
        printed = [float(part.rsplit(" = ", 1)[1]) for part in gap.arithmetic.rpartition("; ")[0].split(" + ")]
        assert f"{sum(printed):.2f}" == gap.arithmetic.rpartition("; ")[2]
