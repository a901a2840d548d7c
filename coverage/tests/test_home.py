"""The home page: figures that equal the summary, backlogs in order, and links to the rows behind each figure."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from aegis.accounts.tests.factories import make_user
from catalog.filters import TechniqueFilter
from catalog.models import Tactic, Technique
from catalog.tests.factories import make_defence, make_release, make_rule, make_tactic, make_technique, make_template
from compliance.models import ComplianceFramework
from compliance.tests.factories import make_control
from coverage.figures.summary import coverage_summary
from coverage.gaps.query import GapQuery
from coverage.gaps.ranking import GapFacts, ranked_gaps
from coverage.home_page import home
from coverage.models import CoverageSnapshot
from coverage.services.snapshots import take_snapshot
from coverage.tests.factories import make_test
from imports.models import DataSource
from imports.tests.factories import make_run, make_source
from intel.tests.factories import make_actor
from tests.charts import counted_links, how_many

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client):
    client.force_login(make_user())
    return client


@pytest.fixture
def world():
    """Five active techniques: one has both, one a rule, two a template, one nothing; beside them, what does not count."""
    make_release()
    make_tactic("execution")
    make_tactic("discovery")
    make_technique("T9001", tactics=["execution", "discovery"])
    make_technique("T9002")
    make_technique("T9003", tactics=["discovery"], name="Seldom used")
    make_technique("T9004", tactics=["discovery"], name="Often used")
    make_technique("T9005")
    make_technique("T9006", revoked=True)
    make_technique("T9007", deprecated=True)
    for published_id in ("T9001", "T9002", "T9006"):
        make_rule(published_id)
    make_rule("T9003", status="deprecated")
    for published_id in ("T9001", "T9003", "T9004", "T9004", "T9007"):
        make_template(published_id)
    make_actor("T9001", "T9004")
    make_actor("T9004", "T9002", "T9001")
    make_defence("T9001")
    make_control("T9001")


def shown(client) -> str:
    """The words of the page, without markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get("/").content.decode()))


def test_figures_equal_the_summary_that_the_demo_prints(world):
    assert home().summary == coverage_summary()
    whole = home().summary.whole
    assert (whole.techniques, whole.claimed, whole.testable) == (5, 2, 3)


def test_page_prints_the_figures_with_what_they_mean(reader, world):
    words = shown(reader)
    assert "Techniques 5 active techniques and sub-techniques" in words
    assert "Claimed 2 40.0 % a live detection rule names it" in words
    assert "Testable 3 a test template exists" in words
    assert "Proven 0: no test recorded yet" in words
    assert "enterprise-attack 18.1" in words


def test_blue_backlog_holds_techniques_with_a_template_and_no_rule_by_actors(world):
    backlog = home().undetected
    assert (backlog.number, [row.mitre_id for row in backlog.first]) == (2, ["T9004", "T9003"])
    assert (backlog.first[0].name, backlog.first[0].actors, backlog.first[0].templates) == ("Often used", 2, 2)


def test_red_backlog_holds_every_technique_with_a_rule_while_nothing_is_tested(world):
    backlog = home().untested
    assert (backlog.number, [row.mitre_id for row in backlog.first]) == (2, ["T9001", "T9002"])


def test_backlog_shows_five_and_counts_all():
    make_release()
    for number in range(7):
        make_technique(f"T901{number}")
        make_rule(f"T901{number}")
    assert (len(home().untested.first), home().untested.number) == (5, 7)


def test_bar_adds_up_to_all_techniques(world):
    (row,) = home().backlogs.rows
    assert row.values == {"unknown": 1, "undetected": 2, "in_test": 0, "proven": 0, "untested": 2}
    (drawn,) = home().backlogs.drawn
    assert [(mark.series.field, mark.x, mark.width) for mark in drawn.marks] == [
        ("unknown", "0.00%", "20.00%"),
        ("undetected", "20.00%", "40.00%"),
        ("in_test", "60.00%", "0.00%"),
        ("proven", "60.00%", "0.00%"),
        ("untested", "60.00%", "40.00%"),
    ]


def test_controls_of_all_frameworks_lead_to_their_sum(reader, world):
    make_control("T9001", framework="other")
    make_control("T9001", framework="off")
    ComplianceFramework.objects.filter(slug="off").update(switched_on=False)
    links = dict(counted_links(reader.get("/").content))
    assert (links["/compliance/frameworks"], how_many(reader.get("/compliance/frameworks").context)) == (2, 2)


def test_every_figure_leads_to_as_many_rows(reader, world):
    make_test("T9001", state="validated", outcome="missed")
    make_test("T9002", state="validated", outcome="alerted")
    make_test("T9003", state="in_review")
    links = dict(counted_links(reader.get("/").content))
    assert links["/techniques?proven=true"] == 1
    assert links["/techniques?proven_gap=true"] == 1
    assert links["/tests?state=in_review"] == 1
    assert {url: how_many(reader.get(url).context) for url in links} == links


def test_backlogs_follow_what_tests_have_shown(world):
    make_test("T9001", state="validated", outcome="missed")
    make_test("T9002", state="validated", outcome="alerted")
    make_test("T9003")
    assert [(row.mitre_id, row.is_gap) for row in home().undetected.first] == [
        ("T9001", True),
        ("T9004", False),
        ("T9003", False),
    ]
    assert home().untested.number == 0
    assert home().backlogs.rows[0].values == {"unknown": 1, "undetected": 3, "in_test": 0, "proven": 1, "untested": 0}


def test_before_the_first_test_the_page_invites_to_one(client, world):
    client.force_login(make_user("red_tech"))
    page = client.get("/").content.decode()
    assert "Prove the first technique" in page
    assert 'href="/campaigns/next"' in page
    make_test("T9001")
    assert "Prove the first technique" not in client.get("/").content.decode()


def test_the_week_tells_how_figures_moved(world):
    take_snapshot()
    assert (home().week.since, home().week.moves) == (None, ())
    CoverageSnapshot.objects.update(day=timezone.now().date() - timedelta(days=9), release="enterprise-attack 17.1")
    make_test("T9002", state="validated", outcome="alerted")
    make_test("T9001", state="validated", outcome="missed")
    take_snapshot()
    week = home().week
    assert (week.since, week.new_release) == (timezone.now().date() - timedelta(days=9), "enterprise-attack 18.1")
    assert [(move.words, move.number, move.look) for move in week.moves] == [
        ("proven", 1, "up"),
        ("validated", 1, "up"),
        ("proven gaps", 1, "down"),
    ]


def test_days_without_a_snapshot_take_their_place_in_the_trend(world):
    today = timezone.now().date()
    for days in (40, 39, 0):
        take_snapshot()
        CoverageSnapshot.objects.filter(day=today).update(day=today - timedelta(days=days))
    assert [moment.x for moment in home().trend.moments] == ["0.00", "2.50", "100.00"]


def test_top_gaps_are_the_first_of_the_ranking(reader, world):
    query = GapQuery()
    assert home().top_gaps == tuple(ranked_gaps(GapFacts.now(query), query)[:5])


def test_tactic_counts_equal_the_filtered_lists(world):
    rows = {row.key: row.values for row in home().tactics.rows}
    assert [
        (rows[name]["techniques"], rows[name]["claimed"], rows[name]["testable"]) for name in ("execution", "discovery")
    ] == [
        (3, 2, 1),
        (3, 1, 3),
    ]
    for name, row in rows.items():
        found = TechniqueFilter({"tactic": name, "has_rules": "true"}, Technique.objects.all()).qs
        assert found.count() == row["claimed"]


def test_tactics_equal_those_of_the_api_in_the_order_of_the_release(reader, world):
    make_technique("T9008", tactics=["gone"])
    Tactic.objects.filter(shortname="gone").update(deprecated=True)
    Tactic.objects.filter(shortname="execution").update(position=9)
    assert [(row.key, row.values["claimed"], row.values["testable"]) for row in home().tactics.rows] == [
        (row["tactic"], row["claimed"], row["testable"]) for row in reader.get("/api/v1/metrics/by-tactic").json()
    ]
    assert [row.key for row in home().tactics.rows] == ["discovery", "execution"]


def test_catalogue_counts_lead_to_their_lists(world):
    assert [(holding.label, holding.number, holding.url) for holding in home().holdings] == [
        ("Techniques", 5, "/techniques"),
        ("Detection rules", 3, "/rules"),
        ("Test templates", 5, "/templates"),
        ("Threat actors", 2, "/actors"),
        ("Defences", 1, "/defences"),
        ("Controls", 1, "/compliance/frameworks"),
    ]


def test_what_changed_names_only_sources_whose_import_changed_something(reader, world):
    run = make_run(make_source("sigma", label="Sigma"), created=12, updated=3, withdrawn=1)
    make_run(make_source("elastic", label="Elastic"), created=0)
    make_run(make_source("atomic", label="Atomic"), created=99, dry_run=True)
    response = reader.get("/")
    assert [state.row.slug for state in response.context["changed"]] == ["sigma"]
    words = shown(reader)
    assert "Sigma 12 new 3 updated 1 withdrawn" in words
    assert reverse("imports:run-detail", args=[run.pk]) in response.content.decode()


def test_before_the_first_import_the_page_says_what_to_do(reader):
    page = reader.get("/").content.decode()
    assert "No sources imported yet" in page
    assert "python manage.py import_source --all" in page
    assert 'href="/sources"' in page
    assert "Attacks we cannot detect" not in page


def test_sample_data_is_said_on_every_page(reader):
    assert "Sample data." not in reader.get("/techniques").content.decode()
    DataSource.objects.filter(slug="sigma").update(is_sample=True)
    assert "Sample data." in reader.get("/").content.decode()
    assert "Sample data." in reader.get("/techniques").content.decode()


def test_page_takes_fifteen_queries_whatever_the_data(reader, world, django_assert_max_num_queries):
    for number in range(20):
        make_rule("T9001", "T9002", name=f"more {number}")
    for source in DataSource.objects.all():
        make_run(source)
    with django_assert_max_num_queries(15):
        assert reader.get("/").status_code == 200
