"""The weekly mail on the news: what is new and what matters most of it, in plain text, as the database stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage
from django.urls import reverse
from django.utils import timezone

from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.audit.recording import Subject, record
from coverage.models import TechniqueCoverage
from coverage.news.inbox import in_order, rows
from coverage.news.ranking import ranked
from intel.models import Feed, IntelItem

WEEK: Final = timedelta(days=7)
MOST: Final = 15
LEADS: Final = (Role.RED_LEAD, Role.BLUE_LEAD)


@dataclass(frozen=True, slots=True)
class Digest:
    """A mail as it would be sent now."""

    subject: str
    body: str


def digest(now: datetime | None = None) -> Digest:
    """The mail on the week that ends `now`."""
    since = (now or timezone.now()) - WEEK
    new = IntelItem.objects.open().filter(first_seen_at__gte=since)
    order = ranked(new)
    due = TechniqueCoverage.objects.due_for_review().count()
    failing = Feed.objects.kept().filter(enabled=True, failures__gt=0).order_by("name")
    new_ones = f"{len(order)} new article{'' if len(order) == 1 else 's'}"
    asking = f"{due} technique asks" if due == 1 else f"{due} techniques ask"
    lines = [f"{new_ones} this week that nobody has decided on; {asking} for a review.", ""]
    for row in rows(in_order(order[:MOST])):
        name = f"{row.foremost.technique.name}: " if row.foremost else ""
        why = f"  {name}{row.why}." if row.why else "  Names no technique."
        lines += [f"- {row.item.title}", why, f"  {row.item.feed.name}, {row.item.at:%d %b %Y}. {_address(row.item)}"]
    if len(order) > MOST:
        lines += ["", f"And {len(order) - MOST} more: {settings.AEGIS_URL}{reverse('coverage:intel-inbox')}"]
    if failing:
        lines += ["", f"Feeds that cannot be read: {', '.join(feed.name for feed in failing)}."]
    return Digest(f"Aegis: {new_ones}", "\n".join([*lines, ""]))


def send_digest() -> int:
    """Send the mail to every active lead who has an address, each alone. Returns to how many; none unless it is switched on."""
    if not settings.AEGIS_INTEL_DIGEST:
        return 0
    mail = digest()
    leads = User.objects.filter(is_active=True, role__in=LEADS).exclude(email="").order_by("pk")
    sent = sum(EmailMessage(mail.subject, mail.body, to=[lead.email]).send(fail_silently=True) for lead in leads)
    record(None, "intel.digest_sent", Subject("intel.digest"), after={"leads": sent, "subject": mail.subject})
    return sent


def _address(item: IntelItem) -> str:
    return f"{settings.AEGIS_URL}{item.get_absolute_url()}"
