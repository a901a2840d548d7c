"""What tests have shown, on the pages that stood before there were any: home, techniques, one technique."""

import re

import pytest

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_release, make_rule, make_technique
from coverage.home_page import home
from coverage.models import TechniqueCoverage
from coverage.services.review import flag_for_review
from coverage.tests.factories import make_test

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    """Five techniques: proven, missed by all, in progress, nothing, and nothing with a rule."""
    make_release()
    for number in range(1, 6):
        make_technique(f"T900{number}", name=f"Technique {number}")
    make_rule("T9001", "T9005")
    make_test("T9001", state="validated", outcome="alerted", name="It was seen")
    make_test("T9002", state="validated", outcome="missed")
    make_test("T9003", state="in_review")


@pytest.fixture
def lead(client):
    user = make_user(Role.BLUE_LEAD)
    client.force_login(user)
    return user


def words(client, path: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(path).content.decode()))


def test_home_counts_proofs_and_each_status_leads_to_as_many_techniques(client, lead, world):
    found = home()
    assert (found.tests, found.summary.whole.proven, found.summary.whole.proven_gaps) == (3, 1, 1)
    statuses = {"validated": 1, "partial": 0, "in_progress": 1, "not_covered": 3}
    for status, number in statuses.items():
        shown = client.get("/techniques", {"status": status}).context["page"].paginator.count
        assert shown == number, status
    said = words(client, "/")
    assert "no test recorded yet" not in said


def test_red_backlog_leaves_out_what_was_tested_and_its_list_agrees(client, lead, world):
    backlog = home().untested
    assert (backlog.number, [row.mitre_id for row in backlog.first]) == (1, ["T9005"])
    assert [row.mitre_id for row in client.get(backlog.url).context["page"]] == ["T9005"]


def test_list_of_techniques_shows_and_filters_the_status(client, lead, world):
    rows = client.get("/techniques").context["page"]
    assert [row.status for row in rows] == ["validated", "not_covered", "in_progress", "not_covered", "not_covered"]
    assert "T9002 Technique 2 Proven gap" in words(client, "/techniques")
    assert [row.mitre_id for row in client.get("/techniques?status=in_progress").context["page"]] == ["T9003"]


def test_page_of_a_technique_says_how_it_stands_and_lists_its_tests(client, lead, world):
    said = words(client, "/techniques/T9001")
    assert "Status Validated Proven" in said
    assert "Tests 1 of 1 met" in said
    assert "It was seen Validated Alerted" in said
    assert "Status Proven gap Proven not yet" in words(client, "/techniques/T9002")


def test_a_lead_sees_why_a_review_is_due_and_marks_it_as_done(client, lead, world):
    flag_for_review(techniques=["T9001"], reason=TechniqueCoverage.Reason.INTEL, text="Seen in the wild.")
    assert home().due == 1
    assert "Review required. Seen in the wild. Mark as reviewed" in words(client, "/techniques/T9001")
    answer = client.post("/techniques/T9001/review")
    assert (answer.status_code, answer["Location"]) == (302, "/techniques/T9001")
    assert "Review required" not in words(client, "/techniques/T9001")
    assert TechniqueCoverage.objects.get(technique="T9001").reviewed_by == lead


def test_only_leads_mark_a_technique_as_reviewed(client, world):
    client.force_login(make_user(Role.RED_TECH))
    flag_for_review(techniques=["T9001"], reason=TechniqueCoverage.Reason.INTEL, text="Seen in the wild.")
    assert "Review required. Seen in the wild." in words(client, "/techniques/T9001")
    assert "Mark as reviewed" not in words(client, "/techniques/T9001")
    assert client.post("/techniques/T9001/review").status_code == 403
    assert TechniqueCoverage.objects.get(technique="T9001").review_required


def test_matrix_prints_what_tests_have_shown_beside_what_is_claimed(client, lead, world):
    page = client.get("/matrix").content.decode()
    cells = dict(re.findall(r'href="/techniques/(T\d+)" title="[^"]* · ([^"·]+)"', page))
    assert cells == {
        "T9001": "validated, 1 of 1 test met",
        "T9002": "proven gap, 0 of 1 test met",
        "T9003": "in progress, 0 of 1 test met",
        "T9004": "nothing known",
        "T9005": "not tested",
    }
    assert '<b class="v-validated">1/1</b></span></a>' in page
    assert "2 of 5 claimed, 1 proven, 3 tested." in words(client, "/matrix")
    assert "proven gap, 0 of 1 test met" in client.get("/matrix?view=table").content.decode()
