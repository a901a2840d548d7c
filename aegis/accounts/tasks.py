"""What workers do for accounts."""

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from aegis.accounts.models import ApiSession, KeptAnswer


@shared_task
def forget_what_is_over() -> None:
    """Remove kept answers, logins of browsers and logins of programs whose time is up."""
    now = timezone.now()
    KeptAnswer.objects.outdated().delete()
    Session.objects.filter(expire_date__lte=now).delete()
    ApiSession.objects.filter(expires_at__lte=now).delete()
