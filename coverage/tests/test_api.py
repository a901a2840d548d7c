"""A technique with what stands beside it, and the figures, in the API."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from aegis.accounts.tests.factories import bearer
from catalog.tests.factories import (
    SEEN,
    make_defence,
    make_mitigation,
    make_release,
    make_rule,
    make_tactic,
    make_technique,
    make_template,
)
from compliance.tests.factories import make_control, make_mapping
from coverage.figures.summary import coverage_summary
from coverage.tests.factories import make_test
from intel.tests.factories import make_actor, make_use

pytestmark = pytest.mark.django_db
V1 = "/api/v1/"
UNTESTED = {
    "techniques": 2,
    "validated": 0,
    "validated_percent": 0.0,
    "partial": 0,
    "partial_percent": 0.0,
    "in_progress": 0,
    "in_progress_percent": 0.0,
    "not_covered": 2,
    "not_covered_percent": 100.0,
    "proven": 0,
    "proven_percent": 0.0,
    "proven_gaps": 0,
    "proven_gaps_percent": 0.0,
}


@pytest.fixture
def api():
    return bearer()


@pytest.fixture
def world():
    make_release("18.1")
    make_tactic("execution", mitre_id="TA0002", position=0)
    make_tactic("persistence", mitre_id="TA0003", position=1)
    make_technique("T1059", tactics=("execution",))
    make_technique("T1059.001", tactics=("execution", "persistence"))
    make_technique("T1053", tactics=("persistence",))
    make_technique("T1086", tactics=("execution",), revoked=True)
    for _ in range(3):
        make_rule("T1059")
    make_rule("T1059", status="deprecated")
    make_rule("T1059", withdrawn_at=SEEN)
    make_rule("T1059.001")
    make_template("T1059.001")
    make_template("T1059.001")
    make_use(make_actor("T1059"), "T1059", campaign="C0001")
    make_defence("T1059")
    make_mitigation("T1059")
    make_mapping(make_control("T1059"), "T1053", is_current=False, attack_version="12.1")


def test_a_technique_counts_what_names_it_itself(api, world):
    technique = api.get(V1 + "techniques/T1059").json()
    assert technique["counts"] == {
        "rules": 3,
        "templates": 0,
        "actors": 1,
        "defences": 1,
        "mitigations": 1,
        "controls": 1,
    }
    assert technique["subtechniques"] == [{"mitre_id": "T1059.001", "name": "Technique T1059.001"}]
    assert technique["attack_version"] == "18.1"
    assert set(api.get(V1 + "techniques/T1053").json()["counts"].values()) == {0}


def test_the_fields_of_a_list_are_those_of_the_detail(api, world):
    listed = api.get(V1 + "techniques", {"search": "T1053"}).json()["results"][0]
    detail = api.get(V1 + "techniques/T1053").json()
    more = {"subtechniques": [], "counts": detail["counts"], "tests": [], "review_reasons": []}
    people = ("reviewed_by", "reviewed_at", "local_version", "added_by", "changed_by", "last_run", "gap_owner")
    nobody = dict.fromkeys(people)
    assert detail == listed | more | nobody


def test_the_summary_counts_what_is_current(api, world):
    summary = api.get(V1 + "metrics/summary").json()
    counted = datetime.fromisoformat(summary.pop("as_of"))
    assert timedelta(0) <= timezone.now() - counted < timedelta(minutes=1)
    assert summary == {
        "release": "enterprise-attack 18.1",
        **UNTESTED,
        "techniques": 3,
        "not_covered": 3,
        "claimed": 2,
        "claimed_percent": 66.7,
        "testable": 1,
        "testable_percent": 33.3,
        "templates": 2,
        "rules": 4,
        "actors": 1,
        "defences": 1,
        "controls": 1,
    }


def test_the_summary_of_an_empty_catalogue_is_all_noughts(api):
    summary = api.get(V1 + "metrics/summary").json()
    assert (summary["release"], summary["techniques"], summary["claimed_percent"]) == ("", 0, 0.0)
    assert api.get(V1 + "metrics/by-tactic").json() == []


def test_a_technique_of_two_tactics_counts_in_both(api, world):
    claimed = {"claimed": 2, "claimed_percent": 100.0, "testable": 1, "testable_percent": 50.0}
    half = {"claimed": 1, "claimed_percent": 50.0, "testable": 1, "testable_percent": 50.0}
    assert api.get(V1 + "metrics/by-tactic").json() == [
        UNTESTED | claimed | {"mitre_id": "TA0002", "tactic": "execution", "name": "Execution"},
        UNTESTED | half | {"mitre_id": "TA0003", "tactic": "persistence", "name": "Persistence"},
    ]


def test_figures_count_techniques_by_what_tests_say(api, world):
    make_test("T1059.001", state="validated", outcome="alerted")
    make_test("T1053", state="validated")
    make_test("T1053", state="validated", outcome="missed")
    summary = api.get(V1 + "metrics/summary").json()
    assert {name: summary[name] for name in UNTESTED} == {
        "techniques": 3,
        "validated": 2,
        "validated_percent": 66.7,
        "partial": 1,
        "partial_percent": 33.3,
        "in_progress": 0,
        "in_progress_percent": 0.0,
        "not_covered": 0,
        "not_covered_percent": 0.0,
        "proven": 1,
        "proven_percent": 33.3,
        "proven_gaps": 0,
        "proven_gaps_percent": 0.0,
    }
    execution, persistence = api.get(V1 + "metrics/by-tactic").json()
    assert (execution["validated"], execution["partial"], execution["proven"]) == (2, 0, 1)
    assert (persistence["validated"], persistence["partial"], persistence["proven"]) == (1, 1, 1)
    assert [line.split()[:2] for line in coverage_summary().lines_of_tests()] == [
        ["proven", "1"],
        ["status", "2"],
        ["0", "in"],
    ]


def test_the_demo_says_so_while_nothing_is_tested(world):
    assert coverage_summary().lines_of_tests() == ["  proven         0 techniques: no test has been recorded yet"]
