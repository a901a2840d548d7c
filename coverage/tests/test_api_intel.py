"""Feeds and the news in the API."""

import pytest
from rest_framework.test import APIClient

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from catalog.tests.factories import make_technique
from coverage.models import TechniqueCoverage
from imports.tasks import scan_feeds
from imports.tests.sample_world import SAMPLES
from intel.models import Feed, FeedScan, IntelItem
from intel.tests.factories import make_item

pytestmark = pytest.mark.django_db
FEED = {"name": "Advisories", "url": "https://www.cisa.gov/a.xml", "every_hours": 24}


def client_of(role: Role) -> APIClient:
    return bearer(make_user(role))


def test_an_admin_adds_changes_and_archives_a_feed():
    client = client_of(Role.ADMIN)
    made = client.post("/api/v1/feeds", FEED, format="json")
    assert (made.status_code, made.json()["state"], made.json()["kind"]) == (201, "never", "rss")
    address = f"/api/v1/feeds/{made.json()['id']}"
    assert client.patch(address, {"enabled": False}, format="json").json()["state"] == "disabled"
    assert client.delete(address).status_code == 204
    assert client.get(address).json()["archived"] is True
    assert made.json()["id"] not in [feed["id"] for feed in client.get("/api/v1/feeds").json()["results"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "https://blog.example.org/rss"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"every_hours": 0}, "every_hours"),
        ({"name": ""}, "name"),
        ({"slug": "mine"}, "slug"),
        ({"url": "https://krebsonsecurity.com/feed/"}, "url"),
    ],
    ids=["other host", "file", "never", "nameless", "read-only", "twice"],
)
def test_what_a_feed_cannot_be_is_refused_by_field(change, field):
    answer = client_of(Role.ADMIN).post("/api/v1/feeds", FEED | change, format="json")
    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])
    assert Feed.objects.count() == 6


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_only_admins_manage_feeds_and_scan(role):
    client, feed = client_of(role), Feed.objects.first()
    assert client.get("/api/v1/feeds").json()["count"] == 6
    assert client.post("/api/v1/feeds", FEED, format="json").status_code == 403
    assert client.patch(f"/api/v1/feeds/{feed.pk}", {"enabled": False}, format="json").status_code == 403
    assert client.delete(f"/api/v1/feeds/{feed.pk}").status_code == 403
    assert client.post("/api/v1/system/run-intel-scan").status_code == 403
    assert FeedScan.objects.count() == 0


def test_a_scan_is_asked_for_once_and_waits_for_a_worker():
    client = client_of(Role.ADMIN)
    first = client.post("/api/v1/system/run-intel-scan")
    assert (first.status_code, first.json()["status"], first.json()["trigger"]) == (202, "queued", "api")
    assert client.post("/api/v1/system/run-intel-scan").status_code == 409
    assert client.get(f"/api/v1/feed-scans/{first.json()['id']}").json()["status"] == "queued"


@pytest.mark.django_db(transaction=True)
def test_a_scan_that_is_waited_for_tells_what_it_did(settings, monkeypatch):
    settings.AEGIS_MIRROR = str(SAMPLES)
    monkeypatch.setattr("imports.feeds.scan.current_app.send_task", lambda _name, arguments: scan_feeds(*arguments))
    Feed.objects.exclude(slug="krebs").delete()
    answer = client_of(Role.ADMIN).post("/api/v1/system/run-intel-scan?wait=true")
    assert (answer.status_code, answer.json()["status"]) == (200, "succeeded")
    assert answer.json()["created"] == answer.json()["results"][0]["created"] == 2


def test_items_are_filtered_as_on_the_page():
    make_technique("T1059.001")
    found = make_item("T1059.001", title="Sub")
    make_item(title="Other")
    make_item(title="Old", state="dismissed")
    client = client_of(Role.VIEWER)

    def titles(query: str) -> list[str]:
        return [one["title"] for one in client.get(f"/api/v1/intel-items{query}").json()["results"]]

    assert sorted(titles("")) == ["Other", "Sub"]
    assert titles("?technique=T1059") == ["Sub"]
    assert titles("?state=dismissed") == ["Old"]
    assert titles("?feed=999") == []
    assert sorted(titles("?state=any&ordering=title")) == ["Old", "Other", "Sub"]
    told = client.get(f"/api/v1/intel-items/{found.pk}").json()
    assert (told["techniques"], told["mentions"][0]["sentence"]) == (["T1059.001"], "They used T1059.001.")


def test_an_item_is_triaged_and_every_act_is_in_the_trail():
    make_technique("T1059")
    make_user(Role.RED_LEAD, username="lena")
    client, found = client_of(Role.BLUE_TECH), make_item("T1059")
    address = f"/api/v1/intel-items/{found.pk}"
    changed = client.patch(address, {"note": "Look", "assigned_to": "lena"}, format="json").json()
    assert (changed["note"], changed["assigned_to"]) == ("Look", "lena")
    assert client.post(f"{address}/accept", {}, format="json").json()["state"] == "accepted"
    assert client.post(f"{address}/dismiss", {}, format="json").json()["state"] == "dismissed"
    assert client.post(f"{address}/reopen", {}, format="json").json()["state"] == "new"
    assert client.post(f"{address}/review", {"technique": "T1059"}, format="json").status_code == 200
    assert TechniqueCoverage.objects.get(technique="T1059").review_required
    acts = AuditLog.objects.filter(action__startswith="intel.").order_by("id").values_list("action", flat=True)
    assert [act.partition(".")[2] for act in acts] == [
        "assigned", "noted", "accepted", "dismissed", "reopened", "review_raised",
    ]  # fmt: skip
    told = client.get("/api/v1/techniques/T1059").json()["review_reasons"]
    assert told[0]["link"] == f"/intel/{found.pk}"


def test_what_does_not_fit_is_refused():
    make_user(Role.VIEWER, username="vic")
    client, found = client_of(Role.BLUE_TECH), make_item()
    address = f"/api/v1/intel-items/{found.pk}"
    for body in ({"assigned_to": "vic"}, {"assigned_to": "nobody"}, {"state": "accepted"}, {"note": "x" * 5_000}):
        assert client.patch(address, body, format="json").status_code == 400, body
    assert client.post(f"{address}/review", {"technique": "T1059"}, format="json").status_code == 400
    assert client.post("/api/v1/intel-items/999/accept", {}, format="json").status_code == 404
    viewer = client_of(Role.VIEWER)
    for body in ({"note": "x"}, {}, {"assigned_to": "vic"}, {"assigned_to": "nobody"}, {"state": "accepted"}):
        assert viewer.patch(address, body, format="json").status_code == 403, body
    assert viewer.post(f"{address}/accept", {}, format="json").status_code == 403
    assert IntelItem.objects.get().state == "new"
