"""Items are looked through again when the catalogue has other names."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.tests.factories import make_technique
from imports.feeds import rereading
from imports.feeds.tests.worlds import item
from imports.tasks import scan_due_feeds
from intel.models import Feed, FeedScan, IntelItem, Mention
from intel.vocabulary import _built

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _anew():
    """Rows made up in two tests may have the same times: no names of the last test are kept."""
    _built.cache_clear()


def named() -> list[tuple[str, str]]:
    return list(Mention.objects.order_by("item", "start").values_list("item__title", "key"))


ARTICLE = item("A", "https://example.org/a", "They used T1059.001 and Kerberoasting.")


def test_what_was_read_before_attack_was_imported_is_read_again_with_it(scan):
    assert (scan(ARTICLE).flagged, named()) == (0, [])
    make_technique("T1059.001", name="PowerShell")
    found = scan(ARTICLE)
    assert (found.created, found.updated, found.unchanged, found.reread) == (0, 0, 1, 1)
    assert named() == [("A", "T1059.001")]
    assert found.flagged == 1
    again = scan(ARTICLE)
    assert (again.reread, again.flagged) == (0, 0)


def test_what_a_new_release_renames_or_withdraws_is_no_mention_any_more(scan):
    technique = make_technique("T1558.003", name="Kerberoasting")
    scan(ARTICLE)
    assert named() == [("A", "T1558.003")]
    technique.withdrawn_at = technique.changed_at = timezone.now()
    technique.save()
    assert (scan(ARTICLE).reread, named()) == (1, [])


def test_beat_reads_again_although_no_feed_is_due(scan):
    scan(ARTICLE)
    Feed.objects.update(due_at=timezone.now() + timedelta(hours=1))
    scan_due_feeds()
    assert FeedScan.objects.count() == 1
    make_technique("T1059.001", name="PowerShell")
    scan_due_feeds()
    scan_due_feeds()
    newest = FeedScan.objects.first()
    assert (FeedScan.objects.count(), newest.reread, newest.results, newest.flagged) == (2, 1, [], 1)


def test_old_articles_flag_nothing_when_they_are_read_again(scan):
    scan(ARTICLE)
    IntelItem.objects.update(at=timezone.now() - timedelta(days=31))
    make_technique("T1059.001", name="PowerShell")
    found = scan(ARTICLE)
    assert (found.flagged, named()) == (0, [("A", "T1059.001")])


def test_so_many_are_read_again_at_once_the_newest_first(scan, monkeypatch):
    monkeypatch.setattr(rereading, "MOST", 1)
    articles = [item(name, f"https://example.org/{name}", "They used T1059.001.") for name in "AB"]
    scan(*articles)
    IntelItem.objects.filter(title="A").update(at=timezone.now() - timedelta(days=1))
    make_technique("T1059.001", name="PowerShell")
    scan(*articles)
    assert named() == [("B", "T1059.001")]
    scan(*articles)
    assert len(named()) == 2
