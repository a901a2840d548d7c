"""What workers do for coverage."""

from celery import shared_task

from coverage.news.digest_mail import send_digest
from coverage.services import snapshots


@shared_task
def take_snapshot() -> None:
    """Keep how coverage stands today."""
    snapshots.take_snapshot()


@shared_task
def mail_digest() -> None:
    """Send the weekly mail on the news, if it is switched on."""
    send_digest()
