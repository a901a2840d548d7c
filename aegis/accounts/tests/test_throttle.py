"""Passwords cannot be guessed in numbers, nobody is locked out by somebody else, and no answer tells which users there are."""

from datetime import timedelta
from time import perf_counter

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from aegis.accounts.models import User
from aegis.accounts.tests.conftest import PASSWORD

HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


def page_login(username="anna", password="wrong", address=HERE, **extra):
    return Client(REMOTE_ADDR=address, **extra).post("/accounts/login", {"username": username, "password": password})


def api_login(username="anna", password="wrong", address=HERE, **extra):
    """As `curl -d` sends it."""
    return Client(REMOTE_ADDR=address, **extra).post(
        "/api/v1/auth/login",
        f"username={username}&password={password}",
        content_type="application/x-www-form-urlencoded",
    )


def forget(minutes):
    """Let time pass for all failures that were counted."""
    for attempt in AccessAttempt.objects.all():
        AccessAttempt.objects.filter(pk=attempt.pk).update(
            attempt_time=attempt.attempt_time - timedelta(minutes=minutes)
        )


def test_sixth_try_on_the_page_must_wait_even_with_the_right_password(user):
    assert [page_login().status_code for _ in range(5)] == [200] * 5
    refusal = page_login(password=PASSWORD)
    assert refusal.status_code == 429
    assert 890 <= int(refusal["Retry-After"]) <= 900
    assert "Wait 15 minutes, then try again." in refusal.text
    assert refusal["Cache-Control"] == "no-store"
    assert "script-src 'self'" in refusal["Content-Security-Policy"]


def test_sixth_try_on_the_api_must_wait_and_gets_a_problem(user):
    assert [api_login().status_code for _ in range(5)] == [401] * 5
    refusal = api_login(password=PASSWORD)
    assert (refusal.status_code, refusal["Content-Type"]) == (429, "application/problem+json")
    assert 890 <= int(refusal["Retry-After"]) <= 900
    assert refusal.json() == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": f"Too many failed logins. Try again in {refusal['Retry-After']} seconds.",
    }
    assert page_login(password=PASSWORD).status_code == 429


def test_stranger_elsewhere_locks_nobody_out(user):
    assert {page_login(address=ELSEWHERE).status_code for _ in range(8)} == {200, 429}
    assert page_login(password=PASSWORD).status_code == 302


def test_other_users_of_the_same_network_may_still_log_in(user):
    User.objects.create_user("berta", password=PASSWORD)
    assert [page_login().status_code for _ in range(6)] == [200] * 5 + [429]
    assert page_login("berta", PASSWORD).status_code == 302


def test_one_network_has_twenty_tries_over_all_names(user):
    answers = [page_login(f"name-{number}").status_code for number in range(22)]
    assert answers == [200] * 20 + [429] * 2
    assert page_login(password=PASSWORD).status_code == 429
    assert page_login(password=PASSWORD, address=ELSEWHERE).status_code == 302


def test_another_browser_does_not_begin_anew(user):
    answers = [page_login(headers={"User-Agent": f"browser {number}"}).status_code for number in range(6)]
    assert answers == [200] * 5 + [429]


def test_page_and_api_count_together(user):
    answers = [page_login().status_code for _ in range(3)] + [api_login().status_code for _ in range(3)]
    assert answers == [200] * 3 + [401] * 2 + [429]


def test_wait_is_over_after_fifteen_minutes_and_tries_meanwhile_do_not_lengthen_it(user):
    for _ in range(9):
        page_login()
    forget(10)
    refusal = page_login()
    assert refusal.status_code == 429
    assert 290 <= int(refusal["Retry-After"]) <= 300
    forget(5.1)
    assert page_login(password=PASSWORD).status_code == 302


def test_login_forgets_the_users_own_failures_but_not_those_of_the_network(user):
    for number in range(16):
        page_login(f"name-{number}")
    for _ in range(3):
        page_login()
    assert page_login(password=PASSWORD).status_code == 302
    assert [page_login().status_code for _ in range(5)] == [200] * 4 + [429]


def test_made_up_forwarding_header_makes_no_new_client(user):
    answers = [page_login(headers={"X-Forwarded-For": f"203.0.113.{number}"}).status_code for number in range(6)]
    assert answers == [200] * 5 + [429]


def test_behind_a_proxy_clients_are_told_apart(user, settings):
    settings.NUM_PROXIES = 1
    for number in range(6):
        page_login(headers={"X-Forwarded-For": f"1.2.3.{number}, 203.0.113.1"})
    assert page_login(password=PASSWORD, headers={"X-Forwarded-For": "203.0.113.1"}).status_code == 429
    assert page_login(password=PASSWORD, headers={"X-Forwarded-For": "203.0.113.2"}).status_code == 302


def test_addresses_of_one_ipv6_network_are_one_client(user):
    answers = [page_login(address=f"2001:db8:1:2::{number}").status_code for number in range(1, 7)]
    assert answers == [200] * 5 + [429]


def test_logins_of_the_api_leave_no_session_behind(user):
    assert api_login(password=PASSWORD).status_code == 200
    assert Session.objects.count() == 0


def test_what_is_kept_of_a_failure_holds_no_password(user):
    page_login(password="a secret of anna's")
    kept = AccessAttempt.objects.get()
    assert "a secret of anna's" not in kept.post_data + kept.get_data


@pytest.mark.parametrize("name", ["an\x00na", "x" * 5000, "🦉" * 100, "' OR 1=1 --"])
@pytest.mark.parametrize("log_in", [page_login, api_login])
def test_odd_names_are_failures_and_not_crashes(user, log_in, name):
    assert log_in(name.replace("\x00", "%00") if log_in is api_login else name).status_code in {200, 400, 401}


@pytest.fixture
def kinds(db, settings):
    """Every kind of failed login, as (user name, password), where passwords are hashed as in a real installation."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    User.objects.create_user("known", password=PASSWORD)
    User.objects.create_user("inactive", password=PASSWORD, is_active=False)
    User.objects.create_user("unusable")
    return {
        "known": ("known", "wrong"),
        "unknown": ("nobody", "wrong"),
        "inactive, right": ("inactive", PASSWORD),
        "inactive, wrong": ("inactive", "wrong"),
        "unusable": ("unusable", "wrong"),
    }


def count_calls(monkeypatch, method, calls):
    real = getattr(Argon2PasswordHasher, method)

    def counted(*given):
        calls.append("hash")
        return real(*given)

    monkeypatch.setattr(Argon2PasswordHasher, method, counted)


@pytest.mark.parametrize("log_in", [page_login, api_login])
def test_failures_all_look_alike_and_cost_one_hash_and_the_same_queries(kinds, log_in, monkeypatch):
    hashes: list[str] = []
    count_calls(monkeypatch, "encode", hashes)
    count_calls(monkeypatch, "verify", hashes)
    seen = set()
    for number, (username, password) in enumerate(kinds.values()):
        hashes.clear()
        with CaptureQueriesContext(connection) as queries:
            answer = log_in(username, password, address=f"192.0.2.{number}")
        body = str(answer.context["form"].errors) if log_in is page_login else answer.text
        seen.add((answer.status_code, body, tuple(hashes), len(queries)))
    assert len(seen) == 1
    assert next(iter(seen))[2] == ("hash",)


@pytest.mark.one_database  # ten seconds of hashing passwords, beside which no query counts
def test_failures_all_take_the_same_time(kinds):
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    for round_number in range(7):
        for place, (kind, (username, password)) in enumerate(kinds.items()):
            started = perf_counter()
            api_login(username, password, address=f"10.0.{round_number}.{place}")
            taken[kind].append(perf_counter() - started)
    # What the machine does beside it only ever adds.
    shortest = {kind: min(times) for kind, times in taken.items()}
    assert max(shortest.values()) < 1.6 * min(shortest.values()), shortest
