"""What workers and beat do for feeds."""

from datetime import timedelta

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from aegis.audit.models import AuditLog
from imports.feeds.scan import execute_scan, queue_scan, ring_again
from imports.tasks import scan_due_feeds, scan_feeds
from imports.tests.sample_world import SAMPLES
from intel.models import Feed, FeedScan

pytestmark = pytest.mark.django_db


def test_a_queued_scan_is_carried_out_once(settings):
    settings.AEGIS_MIRROR = str(SAMPLES)
    scan = queue_scan(by=None, trigger="api")
    for _ in range(2):
        scan_feeds(scan.pk)
    scan.refresh_from_db()
    assert (scan.status, scan.created, FeedScan.objects.count()) == ("succeeded", 15, 1)


def test_of_two_workers_that_took_a_scan_at_once_one_carries_it_out(settings):
    settings.AEGIS_MIRROR = str(SAMPLES)
    queued = queue_scan(by=None, trigger="api")
    first, second = (FeedScan.objects.get(pk=queued.pk) for _ in range(2))
    assert [execute_scan(one).created for one in (first, second)] == [15, 15]
    assert (second.started_at, second.results) == (first.started_at, first.results)
    assert AuditLog.objects.filter(action="scan.succeeded").count() == 1


def test_a_scan_whose_message_was_lost_is_rung_for_again_and_no_more_than_once_in_a_while(monkeypatch):
    def refused(*_: object) -> None:
        raise OperationalError("no broker")

    rung: list[list[int]] = []
    monkeypatch.setattr("imports.feeds.scan.current_app.send_task", refused)
    scan = queue_scan(by=None, trigger="page")
    monkeypatch.setattr("imports.feeds.scan.current_app.send_task", lambda _name, args: rung.append(args))
    assert ring_again() == 0
    FeedScan.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    assert [ring_again(), ring_again()] == [1, 0]
    assert rung == [[scan.pk]]


def test_beat_scans_the_feeds_that_are_due_and_no_others(settings):
    settings.AEGIS_MIRROR = str(SAMPLES)
    now = timezone.now()
    Feed.objects.exclude(slug="krebs").update(due_at=now + timedelta(hours=1))
    Feed.objects.filter(slug="krebs").update(due_at=now - timedelta(minutes=1))
    scan_due_feeds()
    assert [result["name"] for result in FeedScan.objects.get().results] == ["Krebs on Security"]
    scan_due_feeds()
    assert FeedScan.objects.count() == 1
