"""What D3FEND has against our gaps."""

import pytest

from aegis.accounts.tests.factories import make_user
from catalog.models import DefensiveTechniqueMapping, Technique
from catalog.tests.factories import make_defence, make_tactic, make_technique
from coverage.gaps.defences import countered, countermeasures, open_gaps
from coverage.tests.factories import make_test
from intel.tests.factories import make_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """One technique is covered, one is a proven gap, two have no test; of those actors use one."""
    make_tactic("execution")
    for number, name in enumerate(("Covered", "Missed", "Used", "Unused"), 1):
        make_technique(f"T100{number}", name=name, tactics=["execution"] if name == "Used" else [])
    make_actor("T1003")
    make_test("T1001", state="validated", outcome="alerted")
    make_test("T1002", state="validated", outcome="missed")
    make_defence("T1001", "T1003", "T1004", name="Analysis", tactic="Detect", tactic_position=2)
    make_defence("T1002", name="Hardening", tactic="Harden", tactic_position=1)
    path = {"defense_relation": "analyzes", "defense_artifact": "Process", "attack_relation": "invokes"}
    DefensiveTechniqueMapping.objects.update(paths=[path | {"attack_artifact": "Create Process"}])


def test_proven_gaps_come_first_then_what_actors_use(world):
    assert [gap.mitre_id for gap in open_gaps()] == ["T1002", "T1003", "T1004"]
    assert [gap.mitre_id for gap in open_gaps(Technique.objects.filter(name="Used"))] == ["T1003"]


def test_defences_are_counted_by_the_gaps_that_they_counter(world):
    found = [(one.defence.name, one.gaps, one.proven_gaps) for one in countermeasures(open_gaps())]
    assert found == [("Analysis", 2, 0), ("Hardening", 1, 1)]
    make_defence("T1004", name="Deception")
    assert [one.defence.name for one in countermeasures(open_gaps())] == ["Analysis", "Hardening", "Deception"]


def test_gap_names_its_countermeasures_and_the_artifacts_they_share(world):
    first = countered(open_gaps())[0]
    assert [(tactic, [one.name for one in defences]) for tactic, defences in first.groups] == [
        ("Harden", ["Hardening"])
    ]
    assert first.artifacts == (("Create Process", 1),)


def test_page_shows_gaps_of_both_kinds_with_few_queries(world, client, django_assert_max_num_queries):
    client.force_login(make_user())
    with django_assert_max_num_queries(10):
        html = client.get("/defences/gaps").content.decode()
    assert html.index(">Missed</a>") < html.index(">Used</a>") < html.index(">Unused</a>")
    assert ">Covered</a>" not in html
    proven = client.get("/defences/gaps", {"proven_gap": "true"}).content.decode()
    assert ">Missed</a>" in proven
    assert ">Used</a>" not in proven
    assert 'href="/defences/gaps"' in client.get("/defences").content.decode()


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ("search=unused", ["T1004"]),
        ("proven_gap=true", ["T1002"]),
        ("proven_gap=false", ["T1003", "T1004"]),
        ("tactic=execution", ["T1003"]),
        ("status=validated", []),
    ],
)
def test_gaps_and_what_counters_most_of_them_follow_the_filters(world, client, asked, left):
    client.force_login(make_user())
    context = client.get(f"/defences/gaps?{asked}").context
    assert [row.gap.mitre_id for row in context["rows"]] == left
    assert sum(one.gaps for one in context["best"]) == len(left)
