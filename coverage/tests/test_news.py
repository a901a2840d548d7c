"""The news: what matters most comes first, what names a technique has it reviewed once, and nobody is flooded."""

import pytest

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_technique
from coverage.models import TechniqueCoverage
from coverage.news.ranking import ranked, standings
from coverage.services.intel import dismiss_item, flag_news, raise_review
from coverage.services.review import review_technique
from coverage.tests.factories import make_test
from imports.feeds.scan import execute_scan, request_scan
from imports.feeds.tests.worlds import item, rss
from imports.fetchers.tests.conftest import ok, server
from intel.models import Feed, FeedScan, IntelFlag, IntelItem
from intel.tests.factories import make_actor, make_item

__all__ = ["server"]
pytestmark = pytest.mark.django_db


def flagged() -> set[str]:
    return set(TechniqueCoverage.objects.due_for_review().values_list("technique_id", flat=True))


def flag(*items: IntelItem) -> FeedScan:
    scan = FeedScan.objects.create(is_active=False)
    flag_news(scan=scan, items=[one.pk for one in items])
    return scan


def test_what_is_in_the_news_and_not_covered_comes_first_and_says_why():
    make_test("T1001", state="validated", outcome="alerted")
    make_test("T1002", state="draft")
    make_test("T1003", state="validated", outcome="missed")
    for mitre_id in ("T1004", "T1005"):
        make_technique(mitre_id)
    for _ in range(3):
        make_actor("T1005")
    names = ["", "T1001", "T1002", "T1003", "T1004", "T1005"]
    items = {name: make_item(*([name] if name else [])) for name in names}
    order = [IntelItem.objects.get(pk=pk) for pk in ranked(IntelItem.objects.all())]
    assert order == [items[name] for name in ("T1003", "T1005", "T1004", "T1002", "T1001", "")]
    assert [one.why for one in standings(names).values()] == [
        "T1001 is validated, no known actor uses it",
        "T1002 is in progress, no known actor uses it",
        "T1003 is a proven gap, no known actor uses it",
        "T1004 is not covered, no known actor uses it",
        "T1005 is not covered, 3 actors use it",
    ]


def test_who_did_it_counts_too():
    make_technique("T1004")
    nothing, actor = make_item(), make_item(actors=("G0001",))
    both, technique = make_item("T1004", actors=("G0001",)), make_item("T1004")
    assert ranked(IntelItem.objects.all()) == [one.pk for one in (both, technique, actor, nothing)]


def test_ranking_costs_the_same_however_many_items_there_are(django_assert_max_num_queries):
    make_technique("T1059")
    for _ in range(30):
        make_item("T1059")
    with django_assert_max_num_queries(4):
        assert len(ranked(IntelItem.objects.all())) == 30


def test_a_new_item_has_its_technique_reviewed_with_a_link_to_it():
    make_technique("T1059.001")
    found = make_item("T1059.001", title="A breach")
    assert flag(found).flagged == 1
    (reason,) = TechniqueCoverage.objects.get(technique="T1059.001").review_reasons
    assert (reason["kind"], reason["text"], reason["link"]) == ("intel", "In the news: A breach.", f"/intel/{found.pk}")


def test_the_parent_of_a_sub_technique_in_the_news_is_left_alone():
    make_technique("T1059")
    make_technique("T1059.001")
    flag(make_item("T1059.001"))
    assert flagged() == {"T1059.001"}


def test_a_flag_that_a_lead_took_down_is_not_raised_again_by_the_same_item():
    technique, found = make_technique("T1059"), make_item("T1059")
    flag(found)
    review_technique(by=make_user(Role.RED_LEAD), technique=technique)
    assert flag(found).flagged == 0
    assert flagged() == set()
    assert flag(make_item("T1059", title="Another")).flagged == 1


def test_the_same_through_a_feed_that_is_scanned_twice(server):
    technique = make_technique("T1059.001", name="PowerShell")
    Feed.objects.exclude(slug="krebs").delete()
    article = item("A breach", "https://example.org/a", "They ran T1059.001.")
    server.answers["/krebsonsecurity.com/feed"] = [ok(rss(article))]
    assert execute_scan(request_scan(), mirror=server.url).flagged == 1
    review_technique(by=make_user(Role.RED_LEAD), technique=technique)
    longer = item("A breach", "https://example.org/a", "They ran T1059.001. Update: they were caught.")
    server.answers["/krebsonsecurity.com/feed"] = [ok(rss(longer))]
    second = execute_scan(request_scan(), mirror=server.url)
    assert (second.updated, second.flagged, flagged()) == (1, 0, set())


def test_a_mention_that_may_mean_something_else_flags_nothing():
    make_technique("T1014")
    assert flag(make_item("T1014", confident=False)).flagged == 0
    assert flagged() == set()


def test_what_att_ck_does_not_have_and_what_was_dismissed_flag_nothing():
    make_technique("T1059")
    make_technique("T1086", revoked=True)
    found = dismiss_item(by=make_user(Role.BLUE_TECH), item=make_item("T1059"))
    flag(found, make_item("T1086"), make_item("T9999"))
    assert flagged() == set()


def test_a_scan_flags_so_many_at_the_most_and_says_how_many_it_left_alone(settings):
    settings.AEGIS_INTEL_FLAGS = 2
    make_test("T1001", state="validated", outcome="alerted")
    for mitre_id in ("T1002", "T1003"):
        make_technique(mitre_id)
    scan = flag(make_item("T1001"), make_item("T1002"), make_item("T1003"))
    assert (scan.flagged, scan.held_back, flagged()) == (2, 1, {"T1002", "T1003"})


def test_a_technique_in_many_items_tells_of_the_newest_three():
    make_technique("T1059")
    flag(*(make_item("T1059", title=f"News {number}") for number in range(9)))
    assert len(TechniqueCoverage.objects.get(technique="T1059").review_reasons) == 3
    assert IntelFlag.objects.count() == 9


def test_a_review_is_raised_by_hand_also_for_what_is_not_sure():
    make_technique("T1014")
    found = make_item("T1014", confident=False)
    assert raise_review(by=make_user(Role.BLUE_TECH), item=found, technique="T1014") == ["T1014"]
    assert raise_review(by=make_user(Role.BLUE_TECH), item=found, technique="T1014") == []
    assert flagged() == {"T1014"}
