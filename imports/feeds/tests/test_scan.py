"""A scan: every feed for itself, every article once, and words for whatever went wrong."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from aegis.audit.models import AuditLog
from catalog.tests.factories import make_technique
from imports.feeds.fetching import FEED_LIMITS
from imports.feeds.known import KNOWN
from imports.feeds.managing import add_feed, archive_feed, describe_feeds, edit_feed, refusal
from imports.feeds.scan import SECONDS, ScanRunning, execute_scan, request_scan
from imports.feeds.tests.worlds import BOMB, item, rss
from imports.fetchers.tests.conftest import ok, status
from imports.tests.sample_world import SAMPLES
from intel.models import Feed, FeedScan, IntelItem, Mention

pytestmark = pytest.mark.django_db
PLACE = {"isc.sans.edu": "/isc.sans.edu/rssfeed_full.xml", "krebs": "/krebsonsecurity.com/feed"}


def counts(scan: FeedScan) -> tuple[int, int, int]:
    return (scan.created, scan.updated, scan.unchanged)


def dribble(request) -> None:
    """Sends a byte now and then, and never ends."""
    request.send_response(200)
    request.end_headers()
    for _ in range(600):
        request.wfile.write(b" ")
        time.sleep(0.1)


def endless(request) -> None:
    """200 MB that are announced, of which nobody should wait for the end."""
    request.send_response(200)
    request.send_header("Content-Length", str(200_000_000))
    request.end_headers()
    for _ in range(3_000):
        request.wfile.write(b"<rss>" + b" " * 65_531)


def test_five_feeds_fail_each_in_its_own_way_and_the_sixth_is_complete(server):
    describe_feeds()
    server.answers = {
        "/www.cisa.gov/cybersecurity-advisories/all.xml": [dribble],
        "/services.nvd.nist.gov/rest/json/cves/2.0": [status(404)],
        PLACE["isc.sans.edu"]: [endless],
        "/www.bleepingcomputer.com/feed": [ok(bytes(range(256)) * 40)],
        "/feeds.feedburner.com/TheHackersNews": [ok(BOMB)],
        PLACE["krebs"]: [ok(rss(*(item(f"Article {n}", f"https://example.org/{n}") for n in range(30))))],
    }
    begun = time.monotonic()
    scan = execute_scan(request_scan(), mirror=server.url, seconds=6)
    assert time.monotonic() - begun < 15
    said = {result["name"]: (result["status"], result["created"], result["message"]) for result in scan.results}
    assert said.pop("Krebs on Security") == ("succeeded", 30, "")
    assert {state for state, _, _ in said.values()} == {"failed"}
    assert "seconds" in said["CISA advisories"][2]
    assert "neither" in said["NIST NVD"][2]
    assert "larger than 8 MiB" in said["SANS ISC"][2]
    assert "it is neither RSS nor Atom" in said["BleepingComputer"][2]
    assert "it declares XML entities" in said["The Hacker News"][2]
    assert IntelItem.objects.count() == 30
    assert Feed.objects.get(slug="cisa").failures == 1


def test_the_longest_that_feeds_can_take_is_less_than_a_minute():
    assert SECONDS + 10 <= 60
    assert FEED_LIMITS.total < SECONDS


def test_a_second_scan_adds_nothing(scan):
    articles = [item(f"Article {n}", f"https://example.org/{n}", guid=f"g{n}") for n in range(3)]
    assert counts(scan(*articles)) == (3, 0, 0)
    assert counts(scan(*articles)) == (0, 0, 3)
    assert IntelItem.objects.count() == 3


def test_the_same_article_under_tracking_parameters_is_one_item(scan):
    scan(item("A", "https://example.org/a"))
    found = scan(item("A", "https://Example.org/a/?utm_source=rss&utm_medium=feed#x"))
    assert (found.created, IntelItem.objects.count()) == (0, 1)


def test_an_updated_article_updates_its_item_and_what_it_mentions(scan):
    make_technique("T1059.001", name="PowerShell")
    make_technique("T1003.001", name="LSASS Memory")
    scan(item("A", "https://example.org/a", "It ran T1059.001.", guid="a"))
    before = IntelItem.objects.get()
    assert counts(scan(item("A, corrected", "https://example.org/a-corrected", "It ran T1003.001.", guid="a"))) == (
        0,
        1,
        0,
    )
    after = IntelItem.objects.get()
    assert (after.pk, after.title, after.key) == (before.pk, "A, corrected", "example.org/a-corrected")
    assert [mention.key for mention in Mention.objects.filter(kind="technique")] == ["T1003.001"]


def test_a_mention_stands_where_it_says(scan):
    make_technique("T1059.001", name="PowerShell")
    scan(item("Ran by T1059.001", "https://example.org/a", "Nothing. They used T1059.001 again."))
    found = IntelItem.objects.get()
    places = [(found.text[one.start : one.end], one.sentence) for one in found.mentions.all()]
    assert places == [("T1059.001", "Ran by T1059.001"), ("T1059.001", "They used T1059.001 again.")]


def test_an_article_that_another_feed_had_first_stays_as_it_is(server):
    describe_feeds()
    Feed.objects.exclude(slug__in=["krebs", "sans-isc"]).delete()
    server.answers = {
        PLACE["krebs"]: [ok(rss(item("First", "https://example.org/a")))],
        PLACE["isc.sans.edu"]: [ok(rss(item("Second", "https://example.org/a?utm_source=x")))],
    }
    for _ in range(2):
        execute_scan(request_scan(), mirror=server.url)
    assert [(found.title, found.feed.slug) for found in IntelItem.objects.all()] == [("First", "krebs")]


def test_dates_of_the_future_and_none_at_all_sort_by_when_they_were_first_seen(scan):
    scan(
        item("Never", "https://example.org/1"),
        item("Later", "https://example.org/2", date="Fri, 31 Dec 9999 23:59:59 GMT"),
        item("Once", "https://example.org/3", date="Mon, 02 Mar 2026 10:00:00 +0100"),
    )
    never, later, once = (IntelItem.objects.get(title=title) for title in ("Never", "Later", "Once"))
    assert (never.published_at, later.published_at) == (None, None)
    assert (never.at, later.at) == (never.first_seen_at, later.first_seen_at)
    assert once.at == once.published_at == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_an_unchanged_feed_is_not_read_again(server, krebs):
    server.answers[PLACE["krebs"]] = [ok(rss(item("A", "https://example.org/a")), ETag='"1"'), status(304)]
    first = execute_scan(request_scan(), mirror=server.url)
    second = execute_scan(request_scan(), mirror=server.url)
    assert [scan.results[0]["status"] for scan in (first, second)] == ["succeeded", "not_modified"]
    assert server.asked[1][1]["If-None-Match"] == '"1"'


def test_a_feed_that_fails_waits_longer_each_time_and_recovers(server, krebs):
    for hours in (1, 2, 4):
        execute_scan(request_scan(), mirror=server.url)
        krebs.refresh_from_db()
        assert abs(krebs.due_at - timezone.now() - timedelta(hours=hours)) < timedelta(minutes=1)
    assert (krebs.failures, krebs.state) == (3, "failed")
    assert "neither" in krebs.last_error
    assert krebs.last_error.endswith(f" It is tried again after {krebs.due_at:%Y-%m-%d %H:%M} UTC.")
    server.answers[PLACE["krebs"]] = [ok(rss(item("A", "https://example.org/a")))]
    execute_scan(request_scan(), mirror=server.url)
    krebs.refresh_from_db()
    assert (krebs.failures, krebs.last_error, krebs.state) == (0, "", "healthy")
    assert abs(krebs.due_at - timezone.now() - timedelta(hours=24)) < timedelta(minutes=1)


def test_one_scan_at_a_time_and_a_dead_one_makes_room(krebs):
    first = request_scan()
    with pytest.raises(ScanRunning, match="being scanned already"):
        request_scan()
    FeedScan.objects.filter(pk=first.pk).update(
        status="running", worker="elsewhere:1", created_at=timezone.now() - timedelta(hours=1)
    )
    assert request_scan().pk != first.pk
    first.refresh_from_db()
    assert first.status == "abandoned"


def test_every_scan_is_in_the_audit_trail_with_what_it_did(scan):
    scan(item("A", "https://example.org/a"))
    row = AuditLog.objects.get(action="scan.succeeded")
    assert (row.after["created"], row.after["feeds"][0]["name"]) == (1, "Krebs on Security")


def test_a_host_that_nobody_allowed_is_refused_with_its_name_and_the_setting(settings):
    said = refusal("https://blog.example.org/feed")
    assert "blog.example.org" in said
    assert "AEGIS_EXTRA_HOSTS" in said
    settings.AEGIS_EXTRA_HOSTS = ["blog.example.org"]
    assert refusal("https://blog.example.org/feed") == ""
    feed = add_feed({"name": "Blog", "url": "https://blog.example.org/feed"})
    assert (feed.kind, feed.every_hours, feed.state) == ("rss", 168, "never")


@pytest.mark.parametrize(
    "url",
    [
        "http://krebsonsecurity.com/feed/",
        "https://127.0.0.1/feed",
        "file:///etc/passwd",
        "https://krebsonsecurity.com:22/",
        "https://a@krebsonsecurity.com/",
    ],
)
def test_addresses_that_are_never_fetched_are_refused(url):
    with pytest.raises(ValidationError):
        add_feed({"name": "X", "url": url})


@pytest.mark.parametrize("url", ["https://KREBSONSECURITY.com/feed/", "https://krebsonsecurity.com/feed?utm_source=x"])
def test_one_feed_is_not_added_twice_under_another_spelling(url):
    with pytest.raises(ValidationError, match="the address of Krebs on Security: https:"):
        add_feed({"name": "X", "url": url})
    krebs = Feed.objects.get(slug="krebs")
    assert edit_feed(krebs, {"url": url}).url == url
    archive_feed(krebs)
    assert add_feed({"name": "X", "url": "https://krebsonsecurity.com/feed/"}).pk != krebs.pk


def test_known_feeds_come_along_and_what_an_admin_made_of_them_stays():
    assert set(Feed.objects.values_list("slug", flat=True)) == {one.slug for one in KNOWN}
    edit_feed(Feed.objects.get(slug="krebs"), {"name": "Brian", "every_hours": 12})
    archive_feed(Feed.objects.get(slug="cisa"))
    Feed.objects.filter(slug="nvd").delete()
    describe_feeds()
    describe_feeds()
    assert Feed.objects.get(slug="krebs").name == "Brian"
    assert Feed.objects.get(slug="cisa").archived_at
    assert Feed.objects.filter(slug="nvd").count() == 1


def test_news_are_read_each_day_and_the_nvd_each_week():
    assert dict(Feed.objects.values_list("slug", "every_hours")) == {
        "cisa": 24, "nvd": 168, "sans-isc": 24, "bleepingcomputer": 24, "hacker-news": 24, "krebs": 24
    }  # fmt: skip


def test_pages_are_fetched_for_feeds_that_ask_for_it(server, scan, krebs):
    make_technique("T1059.001", name="PowerShell")
    edit_feed(krebs, {"fetch_pages": True})
    server.answers["/example.org/a"] = [ok(b"<article>They ran T1059.001.</article>")]
    found = scan(item("A", "https://example.org/a"), item("B", "https://example.org/b"))
    assert IntelItem.objects.get(title="A").body == "They ran T1059.001."
    assert "example.org/b" in found.results[0]["issues"][0]
    assert [mention.key for mention in Mention.objects.all()] == ["T1059.001"]


def test_scan_intel_reads_the_samples_and_says_so(capsys):
    call_command("scan_intel", mirror=str(SAMPLES))
    first = capsys.readouterr().out
    assert "15 new items" in first
    assert "NIST NVD: 1 created, 0 updated, 0 unchanged, 3 not of note" in first
    call_command("scan_intel", mirror=str(SAMPLES), json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["created"], len(told["feeds"])) == ("succeeded", 0, 6)
    assert set(Feed.objects.values_list("is_sample", flat=True)) == {True}


def test_real_articles_take_the_place_of_the_samples(server, krebs):
    execute_scan(request_scan(), mirror=str(SAMPLES))
    assert IntelItem.objects.count() == 2
    server.answers[PLACE["krebs"]] = [ok(rss(item("Real", "https://example.org/real")))]
    execute_scan(request_scan(), mirror=server.url)
    assert [found.title for found in IntelItem.objects.all()] == ["Real"]


def test_scan_intel_exits_with_one_if_a_feed_failed(krebs, tmp_path, capsys):
    with pytest.raises(SystemExit):
        call_command("scan_intel", mirror=str(tmp_path), feed="krebs")
    assert "Krebs on Security: failed: The mirror has neither" in capsys.readouterr().out


def test_scan_intel_knows_no_other_feed():
    with pytest.raises(CommandError, match="choose from bleepingcomputer, cisa, krebs"):
        call_command("scan_intel", feed="nobody")
