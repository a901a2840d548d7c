"""Frameworks, families, controls and conflicts, with what tests have shown of the techniques that they are mapped to."""

import pytest

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import bearer, make_user
from catalog.models import Technique
from catalog.tests.factories import SEEN, make_rule, make_technique
from compliance.models import ComplianceControl, ComplianceFramework
from compliance.tests.factories import make_control, make_framework, make_mapping
from coverage.figures.controls import conflicting, conflicts, control_rows, family_rows, framework_rows
from coverage.figures.shares import TechniqueFacts
from coverage.models import Evidence, Test
from coverage.testing.outcomes import Outcome, Sighting, Verdict, verdict
from coverage.testing.workflow import State
from coverage.tests.factories import make_test

pytestmark = pytest.mark.django_db
CONFLICTS = "/api/v1/compliance/conflicts"


@pytest.fixture
def world():
    """Four techniques: proven and missed, only missed, claimed alone, neither. AC-1 is mapped to all, SI-1 to the last two."""
    for number, name in enumerate(("Both", "Missed", "Claimed", "Neither"), 1):
        make_technique(f"T100{number}", name=name)
    make_technique("T1009", name="Gone", deprecated=True)
    make_rule("T1001")
    make_rule("T1003")
    make_control("T1001", "T1002", "T1003", "T1004", "T1009", control_id="AC-1", title="First")
    make_control("T1003", "T1004", control_id="SI-1", title="Second", category="System Integrity")
    make_control("T1002", control_id="AC-2", title="Retired", withdrawn=True)
    unmapped = make_control(control_id="AC-3", title="Unmapped")
    unmapped.mappings.all().delete()
    old = make_control("T1004", control_id="AC-4", title="Once mapped", sort_key="ZZ")
    make_mapping(old, "T1002", attack_version="12.1", is_current=False)
    make_test("T1001", state="validated", outcome="alerted")
    make_test("T1001", state="validated", outcome="missed")
    make_test("T1002", state="validated", outcome="missed", name="It went unseen")
    make_test("T1002", state="validated", outcome="logged")
    make_test("T1003", state="draft", outcome="missed")
    make_test("T1004", state="validated")
    return ComplianceFramework.objects.get()


@pytest.fixture
def viewer(client):
    client.force_login(make_user())
    return client


def test_missed_tests_are_those_whose_verdict_is_missed():
    make_technique("T1059")
    test = make_test("T1059", state="validated", outcome="missed")
    for state in (State.VALIDATED, State.IN_REVIEW):
        for outcome in Outcome:
            for expected in Sighting:
                Test.objects.filter(pk=test.pk).update(state=state, outcome=outcome, expected_outcome=expected)
                missed = verdict(state, outcome, expected) == Verdict.MISSED
                assert Test.objects.missed().exists() == missed, (state, outcome, expected)
    Test.objects.update(state=State.VALIDATED, outcome="missed", archived_at=SEEN)
    assert not Test.objects.missed().exists()


def test_framework_counts_each_active_technique_once(world):
    (row,) = framework_rows(TechniqueFacts.now())
    assert (row.controls, row.mapped, row.conflicts) == (4, 3, 1)
    assert row.shares.for_api() == {
        "techniques": 4,
        "claimed": 2,
        "claimed_percent": 50.0,
        "proven": 1,
        "proven_percent": 25.0,
        "missed": 2,
        "proven_gaps": 1,
    }


def test_bar_puts_each_technique_in_one_part(world):
    (row,) = framework_rows(TechniqueFacts.now())
    assert [(part.name, part.number, part.x, part.width) for part in row.shares.parts] == [
        ("proven", 1, "0.00%", "25.00%"),
        ("missed", 1, "25.00%", "25.00%"),
        ("claimed", 1, "50.00%", "25.00%"),
        ("nothing", 1, "75.00%", "25.00%"),
    ]


def test_list_of_controls_counts_the_techniques_that_its_bars_count(world, viewer):
    first = ComplianceControl.objects.with_mapped().get(control_id="AC-1")
    (row,) = control_rows([first], TechniqueFacts.now())
    assert (first.mapped, row.shares.techniques) == (4, 4)


def test_families_have_their_own_figures(world):
    rows = family_rows(world, TechniqueFacts.now())
    assert [(row.name, row.controls, row.mapped, row.conflicts, row.shares.techniques) for row in rows] == [
        ("Access Control", 3, 2, 1, 4),
        ("System Integrity", 1, 1, 0, 2),
    ]


def test_conflict_names_the_missed_techniques_those_without_proof_first(world):
    rows = conflicts(list(conflicting(ComplianceControl.objects.in_force())), TechniqueFacts.now())
    assert [(row.control.control_id, row.shares.techniques) for row in rows] == [("AC-1", 4)]
    assert [(one.mitre_id, one.proven, one.missed.tests) for one in rows[0].missed] == [
        ("T1002", False, 2),
        ("T1001", True, 1),
    ]


def test_pages_show_the_figures_and_never_call_it_compliance(world, viewer, django_assert_max_num_queries):
    pages = ("/compliance", "/compliance/frameworks", f"/compliance/frameworks/{world.slug}", "/compliance/conflicts")
    for page in pages:
        with django_assert_max_num_queries(13):
            html = viewer.get(page).content.decode()
        assert "compliant because" not in html
        assert '<b class="num">1</b> of 4 proven · 2 claimed' in html, page
        assert "2 missed" in html, page


def test_conflicts_can_be_narrowed_and_empty_ones_say_what_that_means(world, viewer):
    assert "First" in viewer.get("/compliance/conflicts", {"category": "Access Control"}).content.decode()
    assert "No conflict matches" in viewer.get("/compliance/conflicts", {"search": "nothing"}).content.decode()
    Test.objects.update(archived_at=SEEN)
    assert "No conflict found" in viewer.get("/compliance/conflicts").content.decode()


def test_control_shows_tests_with_their_evidence_hashes(world, viewer, django_assert_max_num_queries):
    test = Test.objects.get(name="It went unseen")
    uploader = make_user(Role.RED_TECH)
    Evidence.objects.create(
        test=test, side="red", original_name="a.log", key="a", size=1, sha256="ab" * 32, uploaded_by=uploader
    )
    control = ComplianceControl.objects.get(control_id="AC-1")
    with django_assert_max_num_queries(15):
        html = viewer.get(f"/compliance/controls/{control.pk}").content.decode()
    evidence = html[html.index('id="evidence"') :]
    assert "It went unseen" in evidence
    assert "ab" * 32 in evidence
    assert "5 validated tests" in evidence
    assert "<dt>With proof</dt><dd>1 <small>25.0 %</small></dd>" in html


def test_queries_do_not_grow_with_controls_and_tests(world, viewer, django_assert_max_num_queries):
    for number in range(60):
        make_control("T1001", "T1002", sort_key=f"XX-1{number}")
    for page in ("/compliance", "/compliance/frameworks", "/compliance/conflicts"):
        with django_assert_max_num_queries(13):
            assert viewer.get(page).status_code == 200


def test_api_gives_the_same_figures(world):
    api = bearer()
    (framework,) = api.get("/api/v1/compliance/frameworks").json()["results"]
    (row,) = framework_rows(TechniqueFacts.now())
    assert framework["coverage"] == row.shares.for_api()
    assert (framework["controls"], framework["mapped_controls"], framework["conflicts"]) == (4, 3, 1)
    controls = {one["control_id"]: one for one in api.get("/api/v1/compliance/controls").json()["results"]}
    assert controls["AC-1"]["coverage"] == row.shares.for_api()
    assert controls["AC-3"]["coverage"]["techniques"] == 0


def test_api_lists_conflicts_with_the_tests_that_missed(world):
    api = bearer()
    (conflict,) = api.get(CONFLICTS).json()["results"]
    assert (conflict["framework"], conflict["control_id"]) == (world.slug, "AC-1")
    newest = Test.objects.filter(technique="T1002").latest("pk").pk
    assert conflict["missed"][0] == {
        "mitre_id": "T1002",
        "name": "Missed",
        "proven": False,
        "missed_tests": 2,
        "newest_test": newest,
    }
    assert api.get(CONFLICTS, {"category": "System Integrity"}).json()["results"] == []
    assert api.get(CONFLICTS, {"framework": "other"}).json()["results"] == []


def test_framework_that_is_not_there_is_not_found(viewer):
    make_framework()
    assert viewer.get("/compliance/frameworks/none").status_code == 404


def test_missed_technique_that_attack_gave_up_is_no_conflict(world, viewer):
    make_technique("T1008", name="Tested, then given up")
    make_test("T1008", state="validated", outcome="missed")
    make_control("T1008", control_id="AC-9", title="Against what is gone")
    Technique.objects.filter(mitre_id="T1008").update(deprecated=True)
    rows = conflicts(list(conflicting(ComplianceControl.objects.in_force())), TechniqueFacts.now())
    assert [(row.control.control_id, [one.mitre_id for one in row.missed]) for row in rows] == [
        ("AC-1", ["T1002", "T1001"])
    ]
    assert bearer().get(CONFLICTS).json()["count"] == framework_rows(TechniqueFacts.now())[0].conflicts
