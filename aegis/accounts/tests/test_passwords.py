"""A password is known to its owner alone: set by a link that works once, changed by who knows the current one."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from aegis.accounts import services
from aegis.accounts.models import OneTimeLink, User
from aegis.accounts.tests.conftest import PASSWORD

NEW = "another battery staple"
BOTH = {"new_password1": NEW, "new_password2": NEW}


def path_of(token):
    return f"/accounts/link/{token}"


@pytest.fixture
def token(user):
    return services.issue_link(user=user, by=None)


@pytest.fixture
def anna(user):
    client = Client()
    client.force_login(user)
    return client


def password_is(user, password):
    return User.objects.get(pk=user.pk).check_password(password)


def test_token_has_256_bits_and_only_its_hash_is_kept(user, token):
    assert len(token) == 43
    link = OneTimeLink.objects.get()
    assert token not in str(OneTimeLink.objects.values_list())
    assert len(link.digest) == 64
    assert timedelta(minutes=59) < link.expires_at - timezone.now() <= timedelta(minutes=60)


def test_link_sets_the_password_once(client, user, token):
    answer = client.post(path_of(token), BOTH, follow=True)
    assert answer.redirect_chain == [("/accounts/login", 302)]
    assert "Your password is set. Log in with it." in answer.text
    assert password_is(user, NEW)
    again = client.post(path_of(token), {"new_password1": "a third of them", "new_password2": "a third of them"})
    assert (again.status_code, password_is(user, NEW)) == (410, True)


def test_looking_at_a_link_does_not_use_it_up(client, token):
    assert [client.get(path_of(token)).status_code for _ in range(3)] == [200] * 3
    assert client.head(path_of(token)).status_code == 200
    assert client.post(path_of(token), BOTH).status_code == 302


CLOSED = {
    "an hour old": lambda user, token: OneTimeLink.objects.update(expires_at=timezone.now()),
    "used": lambda user, token: services.redeem_link(token=token, password=NEW),
    "replaced": lambda user, token: services.issue_link(user=user, by=None),
    "of a user switched off": lambda user, token: User.objects.update(is_active=False),
    "of a user in another role": lambda user, token: services.change_access(user=user, role="admin", by=None),
    "of a user who changed the password": lambda user, token: services.change_password(
        user=user, password=NEW, keep_session=None
    ),
    "of a deleted user": lambda user, token: user.delete(),
}


@pytest.mark.parametrize("what", CLOSED)
def test_closed_link_says_no_more_than_that(client, user, token, what):
    CLOSED[what](user, token)
    made_up = client.get(path_of("x" * 43))
    looked, sent = client.get(path_of(token)), client.post(path_of(token), BOTH)
    assert {looked.status_code, sent.status_code, made_up.status_code} == {410}
    assert looked.text == sent.text == made_up.text
    assert "This link is no longer good." in looked.text


@pytest.mark.parametrize(
    ("passwords", "message"),
    [
        (("short", "short"), "at least 12 characters"),
        (("password1234", "password1234"), "too common"),
        ((NEW, NEW + "r"), "didn’t match"),
        (("", ""), "This field is required."),
        (("long " * 205, "long " * 205), "at most 1024 characters"),
    ],
)
def test_weak_password_is_refused_and_the_link_still_works(client, user, token, passwords, message):
    answer = client.post(path_of(token), dict(zip(BOTH, passwords, strict=True)))
    assert answer.status_code == 200
    assert message in answer.text
    assert password_is(user, PASSWORD)
    assert client.post(path_of(token), BOTH).status_code == 302


@pytest.mark.parametrize("odd", ["", "x", "x" * 65, "../../admin", "%00", "a b"])
def test_odd_token_finds_nothing(client, db, odd):
    assert client.get(path_of(odd)).status_code in {404, 410}


def test_inactive_user_gets_no_link(user):
    user.is_active = False
    user.save()
    with pytest.raises(services.ValidationError, match="switched off"):
        services.issue_link(user=user, by=None)


def test_who_knows_the_password_changes_it_and_stays_logged_in(anna, user):
    other = Client()
    other.force_login(user)
    before = anna.session.session_key
    answer = anna.post("/accounts/password", {"current_password": PASSWORD, **BOTH}, follow=True)
    assert answer.redirect_chain == [("/accounts/profile", 302)]
    assert "Your password is changed." in answer.text
    assert "This browser" in answer.text
    assert password_is(user, NEW)
    assert anna.session.session_key != before
    assert other.get("/accounts/profile").status_code == 302


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"current_password": "wrong", **BOTH}, "That is not your current password."),
        ({"current_password": "", **BOTH}, "This field is required."),
        ({"current_password": "a\x00b", **BOTH}, "Null characters are not allowed."),
        ({"current_password": PASSWORD, "new_password1": NEW, "new_password2": "other"}, "didn’t match"),
        ({"current_password": PASSWORD, "new_password1": "short", "new_password2": "short"}, "at least 12 characters"),
    ],
)
def test_change_that_will_not_do_is_refused_in_words(anna, user, fields, message):
    answer = anna.post("/accounts/password", fields)
    assert (answer.status_code, message in answer.text) == (200, True)
    assert password_is(user, PASSWORD)


@pytest.mark.parametrize("path", ["/accounts/password", "/accounts/confirm"])
def test_thief_of_a_session_cannot_guess_the_password(anna, user, path):
    tries = [anna.post(path, {"current_password": f"guess {number}", **BOTH}).status_code for number in range(6)]
    assert tries == [200] * 5 + [429]
    assert anna.post(path, {"current_password": PASSWORD, **BOTH}).status_code == 429
    assert password_is(user, PASSWORD)


def test_admins_own_form_of_django_leads_to_ours(db, client_of):
    answer = client_of("admin").get("/admin/password_change/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/password")
