"""Feeds in the Django admin: what is written there is written as on the page."""

import pytest
from django.test import Client
from django.utils import timezone

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from intel.models import Feed, FeedScan

pytestmark = pytest.mark.django_db
LIST = "/admin/intel/feed/"


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(make_user(Role.ADMIN))
    return client


def act(client: Client, action: str, *slugs: str) -> str:
    feeds = Feed.objects.filter(slug__in=slugs).values_list("pk", flat=True)
    page = client.post(LIST, {"action": action, "_selected_action": list(feeds)}, follow=True)
    return " ".join(str(message) for message in page.context["messages"])


def test_a_feed_is_added_on_an_allowed_host_and_on_no_other(admin):
    fields = {"name": "More", "url": "https://www.cisa.gov/more.xml", "kind": "rss", "every_hours": 48, "enabled": "on"}
    assert admin.post(f"{LIST}add/", fields).status_code == 302
    assert Feed.objects.get(name="More").every_hours == 48
    assert AuditLog.objects.filter(action="feed.created").count() == 1
    refused = admin.post(f"{LIST}add/", fields | {"name": "Other", "url": "https://blog.example.org/rss"})
    assert "AEGIS_EXTRA_HOSTS" in refused.content.decode()
    assert not Feed.objects.filter(name="Other").exists()


def test_a_new_address_begins_with_a_clean_record(admin):
    feed = Feed.objects.get(slug="krebs")
    feed.note_failure("Not there.", timezone.now())
    fields = {"name": feed.name, "url": "https://krebsonsecurity.com/rss/", "kind": "rss", "every_hours": 24}
    assert admin.post(f"{LIST}{feed.pk}/change/", fields).status_code == 302
    feed.refresh_from_db()
    assert (feed.url, feed.failures, feed.last_error, feed.due_at, feed.enabled) == (
        "https://krebsonsecurity.com/rss/", 0, "", None, False
    )  # fmt: skip


def test_feeds_are_disabled_archived_and_brought_back(admin):
    assert act(admin, "disable", "krebs", "cisa") == "Feeds that are disabled: 2."
    assert act(admin, "archive", "krebs") == "Feeds that are archived: 1."
    assert act(admin, "enable", "krebs", "cisa") == "Feeds that are enabled: 1."
    assert dict(Feed.objects.filter(slug__in=["krebs", "cisa"]).values_list("slug", "enabled")) == {
        "krebs": False, "cisa": True
    }  # fmt: skip
    assert act(admin, "bring_back", "krebs", "cisa") == "Feeds that are back: 1."
    assert Feed.objects.get(slug="krebs").state == "never"
    of_krebs = AuditLog.objects.filter(action__startswith="feed.", object_label="Krebs on Security").order_by("pk")
    assert list(of_krebs.values_list("action", flat=True)) == [
        "feed.disabled",
        "feed.archived",
        "feed.enabled",
        "feed.restored",
    ]


def test_one_feed_is_scanned_at_a_time(admin):
    assert "Choose one feed" in act(admin, "scan", "krebs", "cisa")
    assert "is queued" in act(admin, "scan", "krebs")
    assert "being scanned already" in act(admin, "scan", "cisa")
    assert [scan.feed.slug for scan in FeedScan.objects.all()] == ["krebs"]
