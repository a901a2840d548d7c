"""The weekly mail on the news."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_technique
from coverage.news.digest_mail import digest, send_digest
from coverage.tasks import mail_digest
from intel.models import Feed
from intel.tests.factories import make_item

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads():
    make_user(Role.RED_LEAD, email="red@example.org")
    make_user(Role.BLUE_LEAD, email="blue@example.org")
    make_user(Role.BLUE_LEAD, email="gone@example.org", is_active=False)
    make_user(Role.RED_LEAD, email="")
    make_user(Role.VIEWER, email="viewer@example.org")


def test_nothing_is_sent_unless_somebody_switched_it_on(leads):
    mail_digest()
    assert (send_digest(), mail.outbox) == (0, [])


def test_each_lead_gets_what_matters_most_first(leads, settings):
    settings.AEGIS_INTEL_DIGEST, settings.AEGIS_URL = True, "https://aegis.example.org"
    make_technique("T1059", name="Scripting")
    now = timezone.now()
    quiet = make_item(title="Nothing much", first_seen_at=now)
    loud = make_item("T1059", title="A breach", first_seen_at=now)
    make_item("T1059", title="Long ago", first_seen_at=now - timedelta(days=8))
    make_item("T1059", title="Done", first_seen_at=now, state="accepted")
    Feed.objects.filter(slug="krebs").update(failures=2)
    mail_digest()
    assert sorted(message.to[0] for message in mail.outbox) == ["blue@example.org", "red@example.org"]
    body = mail.outbox[0].body
    assert mail.outbox[0].subject == "Aegis: 2 new articles"
    assert body.index("A breach") < body.index("Nothing much")
    assert "  Scripting: T1059 is not covered, no known actor uses it." in body
    assert f"https://aegis.example.org/intel/{loud.pk}" in body
    assert f"https://aegis.example.org/intel/{quiet.pk}" in body
    assert "Feeds that cannot be read: Krebs on Security." in body
    assert "Long ago" not in body
    assert "Done" not in body


def test_one_article_is_one_article():
    make_item(title="A breach", first_seen_at=timezone.now())
    mail = digest()
    assert mail.subject == "Aegis: 1 new article"
    assert mail.body.startswith("1 new article this week that nobody has decided on; 0 techniques ask for a review.")


def test_a_title_never_becomes_a_header(settings):
    make_item(title="A\r\nBcc: everybody@example.org", first_seen_at=timezone.now())
    assert "\n" not in digest().subject


def test_a_week_without_news_says_so():
    assert digest(datetime(2020, 1, 1, tzinfo=UTC)).subject == "Aegis: 0 new articles"
