"""Reports: their figures are the API's, hostile texts stay text, everybody may read them, and they print on whole pages."""

import re
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pypdf import PdfReader

from aegis.accounts.policy import ROLES, Role
from aegis.accounts.tests.factories import PASSWORD, bearer, make_user
from aegis.audit.models import AuditHead
from catalog.tests.factories import make_release, make_rule, make_tactic, make_technique
from coverage.models import CoverageSnapshot, Test
from coverage.reports.executive import PeriodTests, period_tests
from coverage.reports.period import Period
from coverage.services.snapshots import take_snapshot
from coverage.tests.factories import make_campaign, make_test
from intel.tests.factories import make_actor

START = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>{{ 7 }}"
PAPERS = {"A4": 2, "Letter": 2}
"""The page for the board, and the annex."""


def make_world():
    """Four techniques, two of them claimed: one proven, one missed by its tests, one with a test under way, one untouched."""
    make_release()
    make_tactic("execution")
    for number in range(1, 5):
        make_technique(f"T900{number}", tactics=["execution"])
    make_rule("T9001", "T9002")
    make_actor("T9002", "T9003", mitre_id="G9001")
    times = {"started_at": START, "detected_at": START + timedelta(minutes=3)}
    make_test("T9001", state="validated", outcome="alerted", **times)
    make_test("T9002", state="validated", outcome="missed")
    campaign = make_campaign("T9003", by=make_user(Role.RED_LEAD, username="lea"), name=HOSTILE)
    take_snapshot()
    CoverageSnapshot.objects.create(
        **{
            field.attname: getattr(CoverageSnapshot.objects.get(tactic=""), field.attname)
            for field in CoverageSnapshot._meta.concrete_fields
            if field.attname not in {"id", "day", "proven"}
        },
        day=CoverageSnapshot.objects.get(tactic="").day - timedelta(days=7),
        proven=0,
    )
    return campaign


@pytest.fixture
def campaign(db):
    return make_world()


def words(answer) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("&nbsp;", " "))


def test_times_to_detect_are_written_alike_in_report_metrics_and_test(client, campaign):
    client.force_login(make_user())
    assert "Time to detect 3 min median of 1" in words(client.get("/reports/executive"))
    assert "3 min" in client.get("/metrics?days=all").content.decode()
    test = Test.objects.get(outcome="alerted")
    assert "3 min time to detect" in words(client.get(f"/tests/{test.pk}"))


def test_executive_report_prints_the_figures_of_the_api(client, campaign):
    client.force_login(make_user())
    report = client.get("/reports/executive").context["report"]
    summary = bearer().get("/api/v1/metrics/summary").json()
    gaps = bearer().get("/api/v1/metrics/gaps").json()
    days = bearer().get("/api/v1/metrics/trend").json()["results"]
    assert (report.release, report.whole.techniques, report.whole.claimed, report.whole.proven) == (
        summary["release"],
        summary["techniques"],
        summary["claimed"],
        summary["proven"],
    )
    assert (report.whole.claimed_percent, report.whole.proven_percent) == (
        summary["claimed_percent"],
        summary["proven_percent"],
    )
    assert report.gaps_total == gaps["count"]
    assert [(row.gap.mitre_id, row.gap.score) for row in report.gaps] == [
        (row["mitre_id"], row["score"]) for row in gaps["results"]
    ]
    assert [(line.name, line.first, line.last) for line in report.lines] == [
        (name.capitalize(), days[0][f"{name}_percent"], days[-1][f"{name}_percent"]) for name in ("claimed", "proven")
    ]


def test_executive_report_says_it_in_a_sentence_and_names_the_owner_of_a_gap(client, campaign):
    client.force_login(make_user())
    answer = client.get("/reports/executive")
    said = words(answer)
    assert (
        "Of 4 attack techniques, detection rules claim 2 (50.0 %). Tests have proven 1 (25.0 %), and found 1 proven gap"
        in said
    )
    assert "1 of 2 met what they expected. Decided by 2 people" in said
    assert "; 2 tests validated from " in said
    Test.objects.filter(state="validated", outcome="missed").update(archived_at=timezone.now())
    assert "; 1 test validated from " in words(client.get("/reports/executive"))
    testers = {row.gap.mitre_id: row.testers for row in answer.context["report"].gaps}
    assert testers == {"T9002": (), "T9003": (f"lea ({HOSTILE})",), "T9004": ()}
    assert AuditHead.objects.get().mac in said
    assert "<script>alert" not in answer.content.decode()


def test_tests_count_in_the_days_on_which_they_were_decided(campaign):
    today = CoverageSnapshot.objects.order_by("day").last().day
    found = period_tests(Period(today, today))
    assert (found.total, found.met, found.detected, found.time_to_detect) == (2, 1, 1, timedelta(minutes=3))
    before = period_tests(Period(today - timedelta(days=9), today - timedelta(days=1)))
    assert (before.total, before.time_to_detect, before.annex) == (0, None, ())
    assert isinstance(before, PeriodTests)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("since=2026-02-01&until=2026-01-01", "The period ends before it starts."),
        ("since=soon", "Enter a valid date."),
        ("actor=G1", "No active actor has the id G1."),
    ],
)
def test_a_period_that_cannot_be_is_refused_in_words(client, campaign, asked, said):
    client.force_login(make_user())
    answer = client.get(f"/reports/executive?{asked}")
    assert (answer.status_code, said in words(answer)) == (400, True)


@pytest.mark.parametrize("end", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_there_is_are_periods_too(client, campaign, end):
    client.force_login(make_user())
    assert client.get(f"/reports/executive?since={end}&until={end}").status_code == 200


def test_the_parameters_stand_in_the_address_that_is_printed(client, campaign):
    client.force_login(make_user())
    asked = "/reports/executive?since=2026-01-01&until=2026-02-01&actor=G9001"
    assert asked.replace("&", "&amp;") in client.get(asked).content.decode()
    period = client.get(asked).context["report"].period
    assert (period.since, period.until) == (date(2026, 1, 1), date(2026, 2, 1))


def test_campaign_report_prints_the_progress_of_the_api_and_what_was_decided(client, campaign):
    rita, lea = make_user(Role.ADMIN, username="rita"), make_user(Role.BLUE_LEAD, username="bea")
    test = make_test("T9001", state="validated", outcome="logged", by=rita, lead=lea, campaign=campaign, name=HOSTILE)
    client.force_login(make_user())
    answer = client.get(f"/campaigns/{campaign.pk}/report")
    progress = bearer().get(f"/api/v1/campaigns/{campaign.pk}").json()["progress"]
    report = answer.context["report"]
    assert {outcome.value: number for outcome, number in report.progress.outcomes.items()} == progress["outcomes"]
    assert [one.test.outcome for one in report.findings] == ["logged", "not_tested"]
    assert test.decided_on_hash in words(answer)
    assert "submitted by rita, decided by bea on" in words(answer)
    assert "<script>alert" not in answer.content.decode()


@pytest.mark.parametrize("role", [role.value for role in ROLES])
def test_whoever_reads_coverage_reads_reports(client, campaign, role):
    client.force_login(make_user(role))
    for path in ("/reports", "/reports/executive", f"/campaigns/{campaign.pk}/report"):
        assert client.get(path).status_code == 200


def test_reports_cost_at_most_fifteen_queries_however_many_rows(client, campaign, django_assert_max_num_queries):
    client.force_login(make_user())
    for number in range(8):
        make_test(f"T901{number}", state="validated", outcome="alerted", campaign=campaign)
    for path in ("/reports", "/reports/executive", f"/campaigns/{campaign.pk}/report"):
        with django_assert_max_num_queries(15):
            client.get(path)


def test_reports_print_on_whole_pages(transactional_db, browser_page):
    campaign = make_world()
    for number in range(40):
        make_test("T9001", campaign=campaign, name=f"A test with a rather long name, number {number}")
    make_user(username="vera")
    browser_page.goto("/accounts/login")
    browser_page.get_by_label("Username").fill("vera")
    browser_page.get_by_label("Password").fill(PASSWORD)
    browser_page.get_by_role("button", name="Log in").click()
    browser_page.wait_for_url("**/")
    browser_page.goto("/reports/executive")
    sheets = {paper: sheets_of(browser_page, paper) for paper in PAPERS}
    assert {paper: len(texts) for paper, texts in sheets.items()} == PAPERS
    for board, annex in sheets.values():
        for said in ("Tests have proven 1 (25.0 %)", "What to close first", "nobody yet", "Audit trail", "four eyes"):
            assert said in board
        assert re.search(r"Annex: tests validated in the period.*Test Outcome Decided SHA-256.*[0-9a-f]{64}", annex)
    browser_page.goto(f"/campaigns/{campaign.pk}/report")
    texts = sheets_of(browser_page, "A4")
    assert (len(texts), all("Seen after" in text for text in texts)) == (2, True)
    browser_page.emulate_media(media="print")
    kept = browser_page.evaluate(
        "['thead', 'tbody tr'].map(part => getComputedStyle(document.querySelector('.report-findings ' + part)))"
        ".map(style => style.display + ' ' + style.breakInside)"
    )
    assert kept == ["table-header-group avoid", "table-row avoid"]
    expect(browser_page.locator(".nav")).to_be_hidden()


def sheets_of(page, paper: str) -> list[str]:
    """What each sheet of paper says that the page takes."""
    return [re.sub(r"\s+", " ", one.extract_text()) for one in PdfReader(BytesIO(page.pdf(format=paper))).pages]
