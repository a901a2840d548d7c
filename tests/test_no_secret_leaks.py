"""Recognizable secrets go through logins, imports, failures, probes and debug pages: each is found only where it belongs."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.views.debug import technical_500_response
from rest_framework.test import APIClient

from aegis.accounts.models import User
from aegis.accounts.tests.factories import make_user
from aegis.audit.log_lines import JsonLine
from imports.bundles.keys import make_pair, public_text, read_private
from imports.feeds.managing import add_feed
from imports.feeds.scan import execute_scan, request_scan
from imports.services import execute, request_import
from imports.tests.small_world import SmallWorld

CANARY = "canary"
PASSWORD = "canary-password-of-maria-7f3a"
WRONG = "canary-wrong-password-91c2"
TOKEN = "canary-metrics-token-0123456789-abcdefgh"
FEED_TOKEN = "canary-feed-token-55d1"
BROKER = "redis://:canary-redis-password-a8b1@127.0.0.1:1/0"
DATABASE = "canary-database-password-c0de"
BUCKET = {
    "access_key": "canary-s3-id-1",
    "secret_key": "canary-s3-secret-2",
    "bucket_name": "evidence",
    "endpoint_url": "http://127.0.0.1:1",
}


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """All that a server logs."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLine())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def secrets(settings, tmp_path: Path) -> list[str]:
    """Every secret that this Aegis has, and is not to tell."""
    settings.METRICS_TOKEN, settings.CELERY_BROKER_URL = TOKEN, BROKER
    settings.EMAIL_HOST_PASSWORD = "canary-mail-password-3d"
    settings.DATABASES["default"]["PASSWORD"] = settings.DATABASES["default"]["PASSWORD"] or DATABASE
    make_pair(tmp_path / "key")
    settings.AEGIS_BUNDLE_KEYS = [public_text(read_private(tmp_path / "key").public_key())]
    settings.AEGIS_BUNDLE_SIGNING_KEY = str(tmp_path / "key")
    settings.AEGIS_EXTRA_HOSTS = ["feeds.example.org"]
    settings.STORAGES = settings.STORAGES | {
        "snapshots": settings.STORAGES["snapshots"] | {"OPTIONS": {"location": tmp_path / "kept"}}
    }
    private = "".join((tmp_path / "key").read_text().splitlines()[1:-1])
    return [settings.SECRET_KEY, settings.SIMPLE_JWT["SIGNING_KEY"], settings.AUDIT_HMAC_KEY, CANARY, private]


def in_tables() -> str:
    """All rows of all tables as text. Left out are the columns that are there for a key: sessions, and feeds' addresses."""
    models = [model for model in apps.get_models() if model.__name__ not in {"Session", "BrowserSession"}]
    rows = [(model.__name__, row) for model in models for row in model._default_manager.values()]
    return "\n".join(f"{name} {row | {'url': ''} if name == 'Feed' else row}" for name, row in rows)


def told(response) -> str:
    """Everything that an answer says."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return f"{response.status_code} {dict(response.items())} {body.decode('utf-8', 'replace')}"


@pytest.mark.django_db
def test_no_secret_is_told_where_it_does_not_belong(secrets, logged, settings, tmp_path: Path) -> None:
    user = make_user("admin", username="maria")
    user.set_password(PASSWORD)
    user.save()
    answers, given = journey(settings)
    world = SmallWorld(tmp_path / "mirror")
    world.rule("a", "T1059")
    execute(request_import("sigma"), mirror=str(world.folder))
    failed = execute(request_import("lolbas"), mirror=f"https://aegis:{CANARY}-mirror@mirror.example.org/a")
    assert failed.status == "failed"
    feed = add_feed(
        {"name": "Paid", "url": f"https://feeds.example.org/a.xml?api_key={FEED_TOKEN}&format=rss", "kind": "rss"}
    )
    execute_scan(request_scan(feed=feed), mirror=str(world.folder))
    feed.refresh_from_db()
    assert "api_key=..." in feed.last_error
    viewer = Client()
    viewer.force_login(make_user("viewer"))
    pages = ["/feeds", "/feeds?export=csv", "/api/v1/feeds", f"/runs/{failed.pk}", "/sources", "/nowhere", "/admin/"]
    answers += [told(viewer.get(path)) for path in pages]
    call_command("export_bundle", to=tmp_path / "out", key=tmp_path / "key", source=["sigma"])
    log_crash(f"connect {BROKER} postgres://aegis:{DATABASE}@database/aegis")
    places = {
        "answers": "\n".join(answers),
        "log": logged.getvalue(),
        "tables": in_tables(),
        "bundle": (tmp_path / "out").read_bytes().decode("latin-1"),
        "debug page": debug_page(user),
    }
    assert len(places["log"].splitlines()) > 20
    found = {(place, secret[:30]) for place, text in places.items() for secret in (*secrets, *given) if secret in text}
    assert found == set()


def log_crash(text: str) -> None:
    """Logged with its traceback, as any crash is."""
    try:
        int(text)
    except ValueError:
        logging.getLogger("aegis").exception("broken: %s", text)


def journey(settings) -> tuple[list[str], list[str]]:
    """What a browser and a program are told on their ways, and the keys that were handed to them: told once, on purpose."""
    browser, api = Client(), APIClient()
    answers = [
        told(browser.post("/accounts/login", {"username": "maria", "password": WRONG})),
        told(api.post("/api/v1/auth/login", {"username": "maria", "password": WRONG}, format="json")),
        told(api.post("/api/v1/auth/login", {"username": {"a": WRONG}}, format="json")),
    ]
    assert browser.post("/accounts/login", {"username": "maria", "password": PASSWORD}).status_code == 302
    tokens = api.post("/api/v1/auth/login", {"username": "maria", "password": PASSWORD}, format="json").json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    paths = ("/api/v1/auth/me", "/api/v1/data-sources", "/api/v1/nowhere", "/api/v1/users")
    answers += [told(api.get(path, headers=bearer)) for path in paths]
    answers.append(told(api.get("/api/v1/auth/me", headers={"Authorization": f"{bearer['Authorization']}x"})))
    answers.append(
        told(api.post("/api/v1/auth/refresh", {"refresh_token": f"{tokens['refresh_token']}x"}, format="json"))
    )
    answers.append(told(browser.post("/sources/bundle", {"file": io.BytesIO(b"no bundle")})))
    answers += [told(browser.get(path)) for path in ("/", "/sources", "/sources/bundle", "/audit", "/accounts/profile")]
    bucket = {"BACKEND": "aegis.lib.bucket.Bucket", "OPTIONS": BUCKET}
    settings.STORAGES = settings.STORAGES | {"evidence": bucket}
    for word in (TOKEN, f"{TOKEN}x"):
        asked = {"Authorization": f"Bearer {word}"}
        answers += [told(browser.get(path, headers=asked)) for path in ("/health", "/health/ready", "/health/metrics")]
    return answers, [tokens["access_token"], tokens["refresh_token"], browser.session.session_key]


def debug_page(user: User) -> str:
    """What Django shows of a crash with DEBUG, on this machine."""
    request: HttpRequest = RequestFactory().get("/", headers={"Authorization": f"Bearer {CANARY}-bearer"})
    request.COOKIES["aegis"] = f"{CANARY}-session"
    request.user = user
    crash = ValueError("out of range")
    return technical_500_response(request, type(crash), crash, crash.__traceback__).content.decode()
