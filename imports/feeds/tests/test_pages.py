"""Pages of feeds: who may change them, what is refused and why, and that a scan is asked for."""

import pytest
from django.test import Client

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from imports.feeds.scan import execute_scan, request_scan
from imports.tests.sample_world import SAMPLES
from intel.models import Feed, FeedScan

pytestmark = pytest.mark.django_db


def browser(role: Role = Role.ADMIN) -> Client:
    client = Client()
    client.force_login(make_user(role))
    return client


def krebs() -> Feed:
    return Feed.objects.get(slug="krebs")


def test_feeds_are_shown_with_their_health(tmp_path):
    execute_scan(request_scan(feed=krebs()), mirror=str(tmp_path))
    page = browser(Role.VIEWER).get("/feeds").content.decode()
    assert "6 feeds" in page
    assert "1 failing" in page
    assert "The mirror has neither" in page
    assert "Scan now" not in page


def test_a_page_of_feeds_costs_the_same_however_many_there_are(django_assert_max_num_queries):
    client = browser()
    client.get("/feeds")
    with django_assert_max_num_queries(8):
        client.get("/feeds")
    Feed.objects.bulk_create(Feed(name=f"F{n}", url=f"https://www.cisa.gov/{n}") for n in range(30))
    with django_assert_max_num_queries(8):
        assert "36 feeds" in client.get("/feeds").content.decode()


def test_an_admin_adds_a_feed_on_an_allowed_host_and_hears_why_not_on_another():
    client = browser()
    fields = {"name": "ICS", "url": "https://www.cisa.gov/ics.xml", "kind": "rss", "every_hours": 24, "enabled": "on"}
    assert client.post("/feeds/new", fields).status_code == 302
    assert Feed.objects.get(name="ICS").every_hours == 24
    assert AuditLog.objects.filter(action="feed.created").count() == 1
    refused = client.post("/feeds/new", fields | {"name": "B", "url": "https://blog.example.org/rss"})
    assert refused.status_code == 400
    said = refused.content.decode()
    assert "blog.example.org is not among the hosts" in said
    assert "AEGIS_EXTRA_HOSTS" in said


def test_the_form_tells_which_feed_has_the_address_already():
    client, feed = browser(), krebs()
    fields = {"name": "X", "url": "https://KrebsOnSecurity.com/feed", "kind": "rss", "every_hours": "24"}
    answer = client.post("/feeds/new", fields)
    assert (answer.status_code, "the address of Krebs on Security" in answer.content.decode()) == (400, True)
    answer = client.post(f"/feeds/{feed.pk}", fields)
    assert (answer.status_code, Feed.objects.get(pk=feed.pk).url) == (302, fields["url"])


def test_a_feed_is_changed_switched_and_archived():
    client, feed = browser(), krebs()
    fields = {"name": "Brian", "url": feed.url, "kind": "rss", "every_hours": 48, "enabled": "on"}
    client.post(f"/feeds/{feed.pk}", fields)
    client.post(f"/feeds/{feed.pk}/switch", {"enabled": "false"})
    feed.refresh_from_db()
    assert (feed.name, feed.every_hours, feed.state) == ("Brian", 48, "disabled")
    client.post(f"/feeds/{feed.pk}/archive")
    assert "Brian" not in client.get("/feeds").content.decode().partition("<main")[2].partition("is archived")[2]
    client.post("/feeds/new", fields)
    assert krebs().archived_at is None
    actions = set(AuditLog.objects.filter(action__startswith="feed.").values_list("action", flat=True))
    assert actions == {"feed.edited", "feed.disabled", "feed.archived", "feed.enabled", "feed.restored"}


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_only_admins_manage_feeds(role):
    client, feed = browser(role), krebs()
    for path in [
        "/feeds/new",
        "/feeds/scan",
        f"/feeds/{feed.pk}/switch",
        f"/feeds/{feed.pk}/archive",
        f"/feeds/{feed.pk}",
    ]:
        assert client.post(path, {"enabled": "false"}).status_code == 403, path
    assert krebs().enabled
    assert FeedScan.objects.count() == 0


def test_scan_now_queues_one_scan_for_the_worker():
    client = browser()
    first = client.post("/feeds/scan", follow=True).content.decode()
    assert "waits for a worker" in first
    second = client.post("/feeds/scan", follow=True).content.decode()
    assert "being scanned already" in second
    assert [(scan.status, scan.trigger, scan.worker) for scan in FeedScan.objects.all()] == [("queued", "page", "")]


def test_a_scan_tells_what_it_did_with_each_feed():
    scan = execute_scan(request_scan(), mirror=str(SAMPLES))
    page = browser(Role.VIEWER).get(f"/feeds/scans/{scan.pk}").content.decode()
    for feed in Feed.objects.all():
        assert feed.name in page
    assert f"/feeds/scans/{scan.pk}" in browser().get("/feeds/scans").content.decode()
