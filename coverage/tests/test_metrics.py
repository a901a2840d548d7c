"""The further figures: each of exact values on a small world, the same in the API, and its rows in a list."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from aegis.accounts.tests.factories import bearer, make_user
from catalog.models import Technique
from catalog.tests.factories import make_release, make_rule, make_tactic, make_technique, make_template
from compliance.tests.factories import make_control
from coverage.figures.backlogs import Backlog, places
from coverage.figures.proof_age import AGES, age_of, proof_ages
from coverage.figures.standing import Standing
from coverage.figures.time_to_detect import figures_of
from coverage.filters import CoveredTechniqueFilter
from coverage.models import TechniqueCoverage, Test
from coverage.tests.factories import make_test
from intel.tests.factories import make_actor

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 31, 8, tzinfo=UTC)


@pytest.fixture
def world():
    """Five techniques, one at each place between the backlogs: T9001 proven, T9002 undetected, T9003 in test, ..."""
    make_release()
    make_tactic("execution")
    make_tactic("discovery")
    for number, tactics in enumerate((["execution", "discovery"], ["discovery"], ["execution"], ["execution"], []), 1):
        make_technique(f"T900{number}", tactics=tactics, platforms=["Linux", "Windows"] if number < 3 else ["Linux"])
    make_rule("T9001", "T9003", "T9004")
    make_template("T9002")
    seen = {"started_at": START, "detected_at": START + timedelta(minutes=3)}
    make_test("T9001", state="validated", outcome="alerted", **seen)
    make_test("T9001", state="validated", outcome="prevented", **seen | {"detected_at": START + timedelta(minutes=9)})
    make_test("T9002", state="validated", outcome="missed")
    make_test("T9003")
    make_actor("T9001", "T9002", name="First", mitre_id="G0001")
    make_actor("T9004", name="Second", mitre_id="G0002")
    make_control("T9001", "T9002")


def api(path):
    answer = bearer().get(f"/api/v1/metrics/{path}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def listed(**filters):
    found = CoveredTechniqueFilter(filters, Technique.objects.all()).qs
    return sorted(found.values_list("mitre_id", flat=True))


def test_each_technique_stands_in_one_place_and_the_list_agrees(world):
    there = places(Standing.now())
    assert there == {
        "T9001": Backlog.PROVEN,
        "T9002": Backlog.UNDETECTED,
        "T9003": Backlog.IN_TEST,
        "T9004": Backlog.UNTESTED,
        "T9005": Backlog.UNKNOWN,
    }
    assert {mitre_id: [mitre_id] for mitre_id in there} == {
        mitre_id: listed(backlog=place) for mitre_id, place in there.items()
    }
    assert api("backlogs") == {
        "techniques": 5,
        "unknown": 1,
        "undetected": 1,
        "in_test": 1,
        "proven": 1,
        "untested": 1,
    }


@pytest.mark.parametrize("rule", [False, True], ids=["no-rule", "rule"])
@pytest.mark.parametrize("template", [False, True], ids=["no-template", "template"])
@pytest.mark.parametrize("test", ["none", "draft", "missed", "alerted", "attested"])
def test_memory_and_database_place_alike(rule, template, test):
    make_technique("T9001")
    if rule:
        make_rule("T9001")
    if template:
        make_template("T9001")
    if test == "draft":
        make_test("T9001")
    elif test != "none":
        make_test("T9001", state="validated", outcome="not_tested" if test == "attested" else test)
    assert listed(backlog=places(Standing.now())["T9001"].value) == ["T9001"]


def test_groups_count_their_techniques(world):
    short = ("key", "techniques", "claimed", "testable", "proven", "proven_gaps")
    assert [[row[name] for name in short] for row in api("by-platform")] == [
        ["Linux", 5, 3, 1, 1, 1],
        ["Windows", 2, 1, 1, 1, 1],
    ]
    assert [[row[name] for name in short] for row in api("by-actor")] == [
        ["G0001", 2, 1, 1, 1, 1],
        ["G0002", 1, 1, 0, 0, 0],
    ]
    assert [[row[name] for name in short] for row in api("by-framework")] == [["nist-800-53-rev5", 2, 1, 1, 1, 1]]
    assert api("by-actor")[0]["proven_percent"] == 50.0
    assert listed(framework="nist-800-53-rev5") == ["T9001", "T9002"]


def test_time_to_detect_counts_validated_tests_with_both_times(world):
    assert [(row["key"], row["tests"], row["median_seconds"], row["p90_seconds"]) for row in api("time-to-detect")] == [
        ("", 2, 360, 540),
        ("execution", 2, 360, 540),
        ("discovery", 2, 360, 540),
    ]
    Test.objects.update(detected_at=START - timedelta(minutes=1))
    assert {row["tests"] for row in api("time-to-detect")} == {0}


@given(st.lists(st.floats(0, 10**6), min_size=1, max_size=40))
def test_nine_tenths_are_detected_within_the_ninetieth_percentile(seconds):
    figures = figures_of("", "", seconds)
    assert sum(one <= figures.p90_seconds + 0.5 for one in seconds) >= 0.9 * len(seconds)
    assert figures.median_seconds <= figures.p90_seconds


def test_outcomes_count_by_tactic_and_by_month(world):
    short = ("key", "tests", "prevented", "alerted", "missed")
    assert [[row[name] for name in short] for row in api("outcomes")] == [
        ["", 3, 1, 1, 1],
        ["execution", 2, 1, 1, 0],
        ["discovery", 3, 1, 1, 1],
    ]
    Test.objects.filter(outcome="missed").update(decided_at=START)
    Test.objects.exclude(outcome="missed").exclude(decided_at=None).update(decided_at=START + timedelta(days=1))
    assert [[row[name] for name in short] for row in api("outcomes?by=month")] == [
        ["2026-03", 1, 0, 0, 1],
        ["2026-04", 2, 1, 1, 0],
    ]
    assert api("outcomes?until=2026-03-31")[0]["tests"] == 1
    assert api("outcomes?since=2026-04-01&until=2026-04-01")[0]["tests"] == 2


@pytest.mark.parametrize(
    "path", ["outcomes?by=week", "outcomes?since=soon", "backlogs?x=1", "by-actor?page=1", "next-campaign?tests=0"]
)
def test_what_is_not_understood_is_refused(path):
    assert bearer().get(f"/api/v1/metrics/{path}").status_code == 400


@pytest.mark.parametrize(
    ("days", "bucket"), [(0, "30"), (29, "30"), (31, "90"), (91, "180"), (200, "365"), (366, "older"), (None, "never")]
)
def test_a_proof_ages_and_the_list_agrees(days, bucket):
    make_technique("T9001")
    if days is not None:
        proven_at = timezone.now() - timedelta(days=days)
        assert age_of(proven_at, timezone.now()) == bucket
        TechniqueCoverage.objects.create(technique_id="T9001", proven=True, last_proven_at=proven_at)
    assert proof_ages(Standing.now()) == {**dict.fromkeys(AGES, 0), bucket: 1}
    assert [key for key in AGES if listed(proof_age=key)] == [bucket]


def test_the_page_shows_every_figure_with_its_definition(client, world, django_assert_max_num_queries):
    client.force_login(make_user("viewer"))
    with django_assert_max_num_queries(15):
        page = client.get("/metrics?days=all").content.decode()
    for heading in ("Trend", "Status by tests", "Backlogs", "By tactic", "Age of proof", "Time to detect", "Outcomes"):
        assert heading in page
    assert page.count('class="definition"') + page.count("panel-foot definition") >= 8


def test_the_page_says_what_to_do_before_the_first_import(client):
    client.force_login(make_user("viewer"))
    assert "import MITRE ATT&amp;CK under Data sources" in client.get("/metrics").content.decode().replace(
        "T&CK", "T&amp;CK"
    )
