"""The web server of the fetchers' tests, as a mirror of feeds, and one feed on it."""

import pytest

from imports.feeds.scan import execute_scan, request_scan
from imports.feeds.tests.worlds import rss
from imports.fetchers.tests.conftest import ok, server
from intel.models import Feed, FeedScan

__all__ = ["server"]


@pytest.fixture
def krebs():
    """One feed, and no other."""
    Feed.objects.exclude(slug="krebs").delete()
    return Feed.objects.get(slug="krebs")


@pytest.fixture
def scan(server, krebs):
    """Scans that feed, with these articles in it."""

    def _scan(*items: str) -> FeedScan:
        server.answers["/krebsonsecurity.com/feed"] = [ok(rss(*items))]
        return execute_scan(request_scan(), mirror=server.url)

    return _scan
