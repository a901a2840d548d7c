"""`bundle_key`, `export_bundle` and `import_source --bundle`: the whole way from one installation to another."""

import json
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.management import CommandError, call_command
from django.utils import timezone

from aegis.audit.models import AuditLog
from catalog.models import DetectionRule
from imports.bundles.keys import make_pair, public_text, read_private
from imports.bundles.writing import Item, write_bundle
from imports.digest import catalog_digest
from imports.fetchers import fetch
from imports.models import DataSource, ImportRun
from imports.registry import SOURCES
from imports.services import SOURCE_OF
from imports.tests.sample_world import SAMPLES
from imports.tests.small_world import SmallWorld

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_pair(tmp_path / "key")
    return tmp_path / "key"


@pytest.fixture
def trusting(settings, key: Path) -> None:
    settings.AEGIS_BUNDLE_KEYS = [public_text(read_private(key).public_key())]


@pytest.fixture
def world(tmp_path: Path) -> SmallWorld:
    return SmallWorld(tmp_path / "mirror")


@pytest.fixture(autouse=True)
def snapshots_of_this_test(settings, tmp_path: Path) -> None:
    """Each test keeps its snapshots in its own folder."""
    settings.STORAGES = configured.STORAGES | {
        "snapshots": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "kept")},
        }
    }


def called(command: str, *words: str, **options: object) -> str:
    out = StringIO()
    call_command(command, *words, stdout=out, **options)
    return out.getvalue()


def export(file: Path, key: Path, *slugs: str, **options: object) -> str:
    return called("export_bundle", to=file, key=key, source=list(slugs) or None, **options)


def reports(file: Path, *slugs: str, **options: object) -> dict[str, dict]:
    lines = called("import_source", *slugs, bundle=file, json=True, **options).splitlines()
    return {report["source"]: report for report in map(json.loads, lines)}


def refused(file: Path, *slugs: str, **options: object) -> str:
    before = (ImportRun.objects.count(), AuditLog.objects.count())
    with pytest.raises(CommandError) as error:
        called("import_source", *slugs, bundle=file, **options)
    assert (ImportRun.objects.count(), AuditLog.objects.count()) == before
    return str(error.value)


def test_key_pair_is_told_and_never_overwritten(tmp_path: Path) -> None:
    told = called("bundle_key", to=tmp_path / "k")
    public = (tmp_path / "k.pub").read_text().strip()
    assert f"AEGIS_BUNDLE_KEYS={public}" in told
    assert "PRIVATE" not in told
    with pytest.raises(CommandError, match="exists already"):
        called("bundle_key", to=tmp_path / "k")
    with pytest.raises(CommandError, match="cannot be written"):
        called("bundle_key", to=tmp_path / "no" / "k")


def test_all_sources_go_through_a_bundle_and_make_the_same_catalogue(tmp_path: Path, key: Path, trusting) -> None:
    shutil.copytree(SAMPLES, tmp_path / "upstream")
    upstream = str(tmp_path / "upstream")
    told = export(tmp_path / "all.aegis", key, mirror=upstream)
    assert [line.split()[0] for line in told.splitlines()[:-1]] == [source.slug for source in SOURCES]
    assert f"{len(SOURCES)} sources" in told
    found = reports(tmp_path / "all.aegis", all=True)
    assert {slug: report["status"] for slug, report in found.items()} == dict.fromkeys(
        [source.slug for source in SOURCES], "succeeded"
    )
    assert all(run.origin.startswith("bundle all.aegis of ") for run in ImportRun.objects.all())
    by_bundle = catalog_digest()
    again = reports(tmp_path / "all.aegis")
    assert {report["status"] for report in again.values()} == {"not_modified"}
    for source in SOURCES:
        called("import_source", source.slug, mirror=upstream, force=True)
    assert catalog_digest() == by_bundle
    assert ImportRun.objects.filter(status="succeeded").exclude(origin__startswith="bundle").count() == len(SOURCES)


def test_kept_snapshot_is_exported_although_upstream_is_gone(
    world: SmallWorld, tmp_path: Path, key: Path, trusting
) -> None:
    world.rule("first", "T1059")
    world.run("sigma")
    shutil.rmtree(world.folder)
    export(tmp_path / "b", key, "sigma")
    DetectionRule.objects.all().delete()
    DataSource.objects.update(digest="", validators={})
    assert reports(tmp_path / "b", "sigma")["sigma"]["created"] == 1


def test_named_mirror_is_exported_and_not_what_is_kept(world: SmallWorld, tmp_path: Path, key: Path, trusting) -> None:
    world.rule("first", "T1059")
    world.run("sigma")
    world.rule("second", "T1059")
    export(tmp_path / "b", key, "sigma", mirror=str(world.folder))
    assert reports(tmp_path / "b", "sigma")["sigma"]["created"] == 1


def test_sample_data_is_not_exported_as_if_it_were_real(tmp_path: Path, key: Path, settings) -> None:
    called("import_source", "sigma", mirror=str(SAMPLES))
    assert DataSource.objects.get(slug="sigma").is_sample
    settings.AEGIS_MIRROR = str(tmp_path / "nothing")
    with pytest.raises(CommandError, match=r"The mirror .*nothing is not a folder.* No bundle was written"):
        export(tmp_path / "b", key, "sigma")
    assert not (tmp_path / "b").exists()


def test_preview_writes_nothing_and_does_not_count_as_the_last_bundle(
    world: SmallWorld, tmp_path: Path, key: Path, trusting
) -> None:
    world.rule("first", "T1059")
    export(tmp_path / "b", key, "sigma", mirror=str(world.folder))
    assert reports(tmp_path / "b", dry_run=True)["sigma"]["created"] == 1
    assert DetectionRule.objects.count() == 0
    assert not AuditLog.objects.filter(action="bundle.accepted").exists()


def test_older_bundle_is_refused_unless_it_is_wanted(world: SmallWorld, tmp_path: Path, key: Path, trusting) -> None:
    world.rule("first", "T1059")
    export(tmp_path / "old", key, "sigma", mirror=str(world.folder))
    world.rule("second", "T1059")
    export(tmp_path / "new", key, "sigma", mirror=str(world.folder))
    reports(tmp_path / "new")
    assert "is older than the last one that was imported (bundle new of" in refused(tmp_path / "old")
    assert "is older" in refused(tmp_path / "old", dry_run=True)
    assert DetectionRule.objects.filter(withdrawn_at=None).count() == 2
    reports(tmp_path / "old", allow_rollback=True)
    assert list(DetectionRule.objects.filter(withdrawn_at=None).values_list("name", flat=True)) == ["Rule first"]
    accepted = AuditLog.objects.filter(action="bundle.accepted").order_by("id")
    assert [row.object_label.split(" of ")[0] for row in accepted] == ["bundle new", "bundle old"]
    assert reports(tmp_path / "new")["sigma"]["status"] == "succeeded"


def test_bundle_of_a_stranger_or_without_any_trust_is_refused(
    world: SmallWorld, tmp_path: Path, key: Path, settings
) -> None:
    world.rule("first", "T1059")
    export(tmp_path / "b", key, "sigma", mirror=str(world.folder))
    assert "not trusted here (trusted: none)" in refused(tmp_path / "b")
    make_pair(tmp_path / "other")
    assert "not trusted here" in refused(tmp_path / "b", trust=[tmp_path / "other.pub"])
    settings.AEGIS_BUNDLE_KEYS = ["nonsense"]
    assert "is not a public key" in refused(tmp_path / "b")
    settings.AEGIS_BUNDLE_KEYS = []
    assert reports(tmp_path / "b", trust=[tmp_path / "key.pub"])["sigma"]["status"] == "succeeded"


def test_changed_bundle_is_refused_before_anything_is_imported(
    world: SmallWorld, tmp_path: Path, key: Path, trusting
) -> None:
    world.rule("first", "T1059")
    export(tmp_path / "b", key, "sigma", mirror=str(world.folder))
    content = (tmp_path / "b").read_bytes()
    place = content.index(b"\x1f\x8b") + 30
    (tmp_path / "b").write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    assert "sigma.snapshot.gz has another hash" in refused(tmp_path / "b")
    (tmp_path / "b").write_bytes(content[:place])
    assert "cut short" in refused(tmp_path / "b")


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    assert "leave out --from and --mirror" in refused(tmp_path / "b", mirror="x")
    assert "leave out --from and --mirror" in refused(tmp_path / "b", local="x")
    assert "unknown source nonsense" in refused(tmp_path / "b", "nonsense")
    assert "No such file" in refused(tmp_path / "b")


def test_source_of_a_newer_aegis_is_named(world: SmallWorld, tmp_path: Path, key: Path, trusting) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yml").write_text("title: a")
    source = replace(SOURCE_OF["sigma"], slug="future", select=None)
    item = Item(source, fetch(source, local=str(tmp_path)), "")
    write_bundle(tmp_path / "b", [item], read_private(key), made_at=timezone.now(), made_by="Aegis 99")
    assert "unknown source future" in refused(tmp_path / "b")


def test_export_that_cannot_work_says_why(tmp_path: Path, key: Path, world: SmallWorld) -> None:
    world.rule("first", "T1059")
    with pytest.raises(CommandError, match=r"cannot be read .*Make a key with `manage.py bundle_key`"):
        export(tmp_path / "b", tmp_path / "absent", "sigma", mirror=str(world.folder))
    with pytest.raises(CommandError, match="cannot be written"):
        export(tmp_path / "no" / "b", key, "sigma", mirror=str(world.folder))
    with pytest.raises(CommandError, match="The mirror has neither"):
        export(tmp_path / "b", key, "sigma", "lolbas", mirror=str(world.folder))
    assert not (tmp_path / "b").exists()


def test_optional_source_goes_along_where_it_is_wanted_and_is_taken_where_it_is(
    tmp_path, key, trusting, capsys
) -> None:
    def exported(*slugs: str) -> list[str]:
        told = export(tmp_path / "some.aegis", key, *slugs, mirror=str(SAMPLES))
        return [line.split()[0] for line in told.splitlines()[:-1]]

    optional = DataSource.objects.filter(slug="mappings-explorer")
    assert "mappings-explorer" not in exported()
    optional.update(digest="0" * 64)
    assert exported()[-1] == "mappings-explorer"
    optional.update(digest="", enabled=True)
    assert exported()[-1] == "mappings-explorer"
    optional.update(enabled=False)
    exported("caldera", "mappings-explorer")
    assert list(reports(tmp_path / "some.aegis")) == ["caldera"]
    assert "mappings-explorer is disabled here, and left out" in capsys.readouterr().err
    assert list(reports(tmp_path / "some.aegis", dry_run=True)) == ["caldera", "mappings-explorer"]
    (report,) = reports(tmp_path / "some.aegis", "mappings-explorer").values()
    assert (report["status"], report["created"]) == ("succeeded", 12)
