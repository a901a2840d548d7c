"""What workers do for accounts."""

from celery import shared_task

from aegis.accounts.models import KeptAnswer


@shared_task
def forget_answers() -> None:
    """Remove answers that were kept long enough."""
    KeptAnswer.objects.outdated().delete()
