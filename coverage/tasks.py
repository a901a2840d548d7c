"""What workers do for coverage."""

from celery import shared_task

from coverage.services import snapshots


@shared_task
def take_snapshot() -> None:
    """Keep how coverage stands today."""
    snapshots.take_snapshot()
