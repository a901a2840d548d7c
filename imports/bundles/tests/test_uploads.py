"""Bundles by browser and API: verified before anything is kept, and then previewed and applied like all else."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from catalog.models import DetectionRule
from compliance.models import ComplianceFramework
from imports.bundles.contents import SIGNATURE
from imports.bundles.keys import key_id, make_pair, public_text, signature, trusted_keys
from imports.bundles.reading import read_bundle
from imports.bundles.tests.test_bundles import KEY, OTHER, members, rewrite, told
from imports.bundles.writing import Item, write_bundle
from imports.fetchers import fetch
from imports.models import DataSource, ImportRun
from imports.services import SOURCE_OF, execute, request_import
from imports.snapshots import sweep
from imports.tests.sample_world import SAMPLES
from imports.tests.small_world import SmallWorld, counts
from imports.tests.stix_world import technique

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("snapshots_folder")]
MADE_AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
API, PAGE = "/api/v1/system/import-bundle", "/sources/bundle"


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return SmallWorld(tmp_path / "mirror")


@pytest.fixture
def snapshots_folder(tmp_path, settings) -> None:
    entry = settings.STORAGES["snapshots"]
    settings.STORAGES = settings.STORAGES | {"snapshots": entry | {"OPTIONS": {"location": tmp_path / "kept"}}}
    settings.AEGIS_BUNDLE_KEYS = [public_text(KEY.public_key())]


@pytest.fixture
def admin():
    return make_user("admin", username="maria")


@pytest.fixture
def browser(admin) -> Client:
    browser = Client()
    browser.force_login(admin)
    return browser


def bundled(world: SmallWorld, *, made_at: datetime = MADE_AT, key=KEY) -> Path:
    """A bundle of the Sigma rules of the world."""
    found = fetch(SOURCE_OF["sigma"], mirror=str(world.folder))
    file = world.folder / "all.aegis"
    write_bundle(file, [Item(SOURCE_OF["sigma"], found, "v1")], key, made_at=made_at, made_by="Aegis 9")
    return file


def upload(file: Path | bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("all.aegis", file if isinstance(file, bytes) else file.read_bytes())


def only_run() -> ImportRun:
    return ImportRun.objects.select_related("source").latest("pk")


def test_uploaded_bundle_is_previewed_and_applied_like_all_else(world, admin, browser) -> None:
    world.rules(2)
    answer = browser.post(PAGE, {"file": upload(bundled(world)), "mode": "preview"})
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
    shown = execute(only_run())  # as a worker does: no mirror, no network
    told_origin = "bundle all.aegis of 2026-02-03 04:05:06 UTC, from "
    assert (shown.status, shown.dry_run, counts(shown), shown.error) == (
        "succeeded",
        True,
        {"created": 2, "skipped": 2},
        "",
    )
    assert (shown.origin[: len(told_origin)], shown.requested_by, shown.trigger) == (told_origin, admin, "button")
    assert DetectionRule.objects.count() == 0
    assert f"/runs/{shown.pk}" in browser.get(PAGE).content.decode()
    browser.post(f"/runs/{shown.pk}/apply")
    applied = execute(only_run())
    assert (applied.status, applied.applies, applied.origin) == ("succeeded", shown, shown.origin)
    assert DetectionRule.objects.count() == 2
    entry = AuditLog.objects.get(action="bundle.accepted")
    assert (entry.actor_name, entry.after["signed_by"]) == ("maria", key_id(KEY.public_key()))
    assert sorted(entry.after["sources"]) == ["sigma"]


def test_upload_by_api_ends_in_the_same_rows(world, admin) -> None:
    world.rules(2)
    answer = bearer(admin).post(API, {"file": upload(bundled(world)), "dry_run": "false"})
    body = answer.json()
    assert (answer.status_code, body["made_at"], body["signed_by"]) == (
        202,
        "2026-02-03T04:05:06Z",
        key_id(KEY.public_key()),
    )
    assert [(run["source"], run["status"], run["dry_run"]) for run in body["runs"]] == [("sigma", "queued", False)]
    assert execute(only_run()).status == "succeeded"
    assert DetectionRule.objects.count() == 2


def test_preview_that_is_out_of_date_is_made_again_without_a_network(world, browser) -> None:
    world.rules(2)
    browser.post(PAGE, {"file": upload(bundled(world)), "mode": "preview"})
    shown = execute(only_run())
    world.attack(technique("T1059"))
    execute(request_import("attack"), mirror=str(world.folder))
    page = browser.get(f"/runs/{shown.pk}").content.decode()
    assert "The catalogue has moved since" in page
    assert f'action="/runs/{shown.pk}/again"' in page
    browser.post(f"/runs/{shown.pk}/again")
    again = execute(only_run())
    assert (again.status, again.error, again.dry_run, again.given) == ("succeeded", "", True, shown.given)
    assert (counts(again), again.origin) == (counts(shown), shown.origin)


def traversing(file: Path) -> dict[str, bytes]:
    return members(file) | {"../../etc/passwd": b"x"}


REFUSED = {
    "another signature": (
        lambda file: members(file) | {SIGNATURE: signature(b"x", KEY)},
        KEY,
        "changed after it was signed",
    ),
    "unsigned": (lambda file: {n: d for n, d in members(file).items() if n != SIGNATURE}, KEY, "is not signed"),
    "path traversal": (traversing, KEY, "holds more than its signed list says"),
    "other format": (lambda file: told(file, format=2), KEY, "this version of Aegis reads 1. Update Aegis"),
    "cut short": (None, KEY, "cut short"),
    "wrong key": (members, OTHER, "which is not trusted here"),
    "of another world": (lambda file: told(file, source="unheard-of"), KEY, "does not know. Update it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_upload_that_is_not_what_was_signed_is_refused_in_words_and_leaves_nothing(
    case, world, admin, browser, tmp_path
):
    change, key, says = REFUSED[case]
    world.rules(2)
    file = bundled(world, key=key)
    if change:
        rewrite(file, change(file))
    content = file.read_bytes() if change else file.read_bytes()[:2000]
    answers = [
        bearer(admin).post(API, {"file": upload(content)}),
        browser.post(PAGE, {"file": upload(content), "mode": "import"}),
        browser.post(PAGE, {"file": upload(content), "mode": "import"}, headers={"HX-Request": "true"}),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert says in answers[0].json()["errors"]["file"][0]
    assert says in answers[1].content.decode()
    assert (answers[2]["Content-Type"], says in answers[2].content.decode()) == ("text/plain", True)
    assert (ImportRun.objects.count(), [*tmp_path.glob("kept/*")]) == (0, [])
    assert not AuditLog.objects.filter(action="bundle.accepted").exists()


def test_bundle_older_than_the_last_is_refused_unless_that_is_wanted(world, admin, browser) -> None:
    world.rules(1)
    browser.post(PAGE, {"file": upload(bundled(world)), "mode": "preview"})
    execute(only_run())
    older = upload(bundled(world, made_at=MADE_AT.replace(year=2025)))
    answer = bearer(admin).post(API, {"file": older})
    assert (answer.status_code, "is older than the last one" in answer.json()["errors"]["file"][0]) == (400, True)
    older.seek(0)
    assert bearer(admin).post(API, {"file": older, "allow_older": "true"}).status_code == 202
    assert only_run().allowed == ["older"]


def test_no_source_is_imported_while_one_of_them_is_busy_or_all_are_disabled(world, admin) -> None:
    world.rules(1)
    file = bundled(world)
    busy = request_import("sigma")
    answer = bearer(admin).post(API, {"file": upload(file)})
    assert (answer.status_code, "is being imported already" in answer.json()["detail"]) == (409, True)
    execute(busy, mirror=str(world.folder))
    DataSource.objects.filter(slug="sigma").update(enabled=False)
    answer = bearer(admin).post(API, {"file": upload(file), "dry_run": "false"})
    assert (answer.status_code, "enable first" in answer.json()["detail"]) == (409, True)
    assert not AuditLog.objects.filter(action="bundle.accepted").exists()


def with_an_optional_source(world: SmallWorld) -> Path:
    """A bundle of the Sigma rules of the world and of the sample frameworks."""
    wanted = {"sigma": str(world.folder), "mappings-explorer": str(SAMPLES)}
    items = [Item(SOURCE_OF[slug], fetch(SOURCE_OF[slug], mirror=mirror), "v1") for slug, mirror in wanted.items()]
    write_bundle(world.folder / "two.aegis", items, KEY, made_at=MADE_AT, made_by="Aegis 9")
    return world.folder / "two.aegis"


def test_source_that_is_disabled_here_is_left_out_of_an_import_and_said(world, admin, browser, tmp_path) -> None:
    world.rules(1)
    file = with_an_optional_source(world)
    body = bearer(admin).post(API, {"file": upload(file), "dry_run": "false"}).json()
    assert ([run["source"] for run in body["runs"]], body["left_out"]) == (["sigma"], ["mappings-explorer"])
    assert [place.name for place in tmp_path.glob("kept/*")] == ["sigma"]
    execute(only_run())
    page = browser.post(PAGE, {"file": upload(file), "mode": "import"}, follow=True).content.decode()
    assert "1 import is queued. Left out, because disabled here: mappings-explorer." in page


def test_source_that_is_disabled_here_can_be_previewed_and_applied(world, admin, browser) -> None:
    world.rules(1)
    body = bearer(admin).post(API, {"file": upload(with_an_optional_source(world))}).json()
    assert ([run["source"] for run in body["runs"]], body["left_out"]) == (["sigma", "mappings-explorer"], [])
    shown = execute(only_run())
    browser.post(f"/runs/{shown.pk}/apply")
    assert execute(only_run()).status == "succeeded"
    assert ComplianceFramework.objects.filter(switched_on=False, slug__startswith="sample-").count() == 2


def test_source_that_is_enabled_here_is_imported_with_all_others(world, admin) -> None:
    world.rules(1)
    DataSource.objects.filter(slug="mappings-explorer").update(enabled=True)
    body = bearer(admin).post(API, {"file": upload(with_an_optional_source(world)), "dry_run": "false"}).json()
    assert ([run["source"] for run in body["runs"]], body["left_out"]) == (["sigma", "mappings-explorer"], [])


def test_body_above_the_limit_is_refused_before_it_is_read(admin, browser, settings) -> None:
    settings.BUNDLE_MAX_BYTES = 1024 * 1024
    unread = io.BytesIO(b"x")
    sent = {"CONTENT_LENGTH": str(1024 * 1024 + 70_000), "wsgi.input": unread}
    kind = "multipart/form-data; boundary=x"
    answers = [
        browser.generic("POST", PAGE, b"", kind, **sent),
        bearer(admin).generic("POST", API, b"", kind, **sent),
    ]
    assert [answer.status_code for answer in answers] == [413, 413]
    assert "1 MB" in answers[0].content.decode()
    assert unread.tell() == 0


def test_what_was_imported_is_taken_along_signed(world, admin, browser, settings, tmp_path) -> None:
    world.rules(2)
    assert "no key to sign" in browser.post(f"{PAGE}/export", follow=True).content.decode()
    make_pair(tmp_path / "key")
    settings.AEGIS_BUNDLE_SIGNING_KEY = str(tmp_path / "key")
    assert "Nothing was imported yet" in browser.post(f"{PAGE}/export", follow=True).content.decode()
    run = execute(request_import("sigma"), mirror=str(world.folder))
    trusted = trusted_keys([], [tmp_path / "key.pub"])
    for answer in (browser.post(f"{PAGE}/export"), bearer(admin).post("/api/v1/system/export-bundle")):
        assert 'attachment; filename="aegis-20' in answer["Content-Disposition"]
        file = tmp_path / "taken"
        file.write_bytes(b"".join(answer.streaming_content))
        bundle = read_bundle(file, trusted)
        assert {slug: found.digest for slug, found in bundle.snapshots.items()} == {"sigma": run.digest}
    assert AuditLog.objects.filter(action="bundle.exported", actor_name="maria").count() == 2


def test_snapshot_of_a_run_that_waits_is_not_swept(world, browser) -> None:
    world.rules(2)
    browser.post(PAGE, {"file": upload(bundled(world)), "mode": "preview"})
    sweep(only_run().source)
    assert execute(only_run()).status == "succeeded"
    sweep(only_run().source)
    browser.post(f"/runs/{only_run().pk}/discard")
    sweep(only_run().source)
    browser.post(f"/runs/{only_run().pk}/again")
    assert ImportRun.objects.count() == 1
