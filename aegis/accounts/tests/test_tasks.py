"""What is over does not pile up: kept answers, logins of browsers and of programs."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from aegis.accounts.models import ApiSession, BrowserSession, KeptAnswer
from aegis.accounts.tasks import forget_what_is_over
from aegis.accounts.tests.factories import make_user
from aegis.accounts.tokens import start_session

pytestmark = pytest.mark.django_db


def test_what_is_over_is_removed_every_hour():
    job = settings.CELERY_BEAT_SCHEDULE["Forget what is over"]
    assert (job["task"], job["schedule"]) == (forget_what_is_over.name, timedelta(hours=1))


def test_answers_that_do_not_come_again_are_removed():
    user, day_ago = make_user(), timezone.now() - timedelta(hours=24)
    for key, kept_at in (("old", day_ago), ("young", day_ago + timedelta(minutes=1))):
        KeptAnswer.objects.create(user=user, key=key, kept_at=kept_at)
    forget_what_is_over()
    assert list(KeptAnswer.objects.values_list("key", flat=True)) == ["young"]


def test_logins_that_have_run_out_are_removed_and_those_that_stand_go_on():
    browsers = [Client(), Client()]
    for browser, name in zip(browsers, ("gone", "here"), strict=True):
        user = make_user(username=name)
        browser.force_login(user)
        start_session(user)
    Session.objects.filter(pk=browsers[0].session.session_key).update(expire_date=timezone.now())
    ApiSession.objects.filter(user__username="gone").update(expires_at=timezone.now())
    forget_what_is_over()
    assert list(Session.objects.values_list("pk", flat=True)) == [browsers[1].session.session_key]
    assert list(BrowserSession.objects.values_list("user__username", flat=True)) == ["here"]
    assert list(ApiSession.objects.values_list("user__username", flat=True)) == ["here"]
    assert browsers[1].get("/accounts/profile").status_code == 200
