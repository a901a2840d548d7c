"""Kept snapshots: the same bytes come back or nothing does, and what nobody will ask for goes."""

import gzip
import json
import tracemalloc
from pathlib import Path

import environ
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages

from aegis.lib.evidence_storage import snapshot_storage
from imports.fetchers import Snapshot, fetch
from imports.fetchers.snapshot import Store, digest_of
from imports.models import DataSource, ImportRun
from imports.services import SOURCE_OF
from imports.snapshots import NotKept, is_kept, keep, kept, sweep
from imports.tests.factories import make_run, make_source
from imports.tests.sample_world import SAMPLES, SLUGS
from imports.tests.small_world import SmallWorld
from imports.upstream import Issue


@pytest.fixture(autouse=True)
def snapshots_folder(tmp_path: Path, settings) -> Path:
    """Where this test keeps snapshots."""
    folder = tmp_path / "snapshots"
    settings.STORAGES = settings.STORAGES | {"snapshots": snapshot_storage(environ.Env(), folder)}
    return folder


def snapshot_of(*files: tuple[str, bytes], issues: tuple[Issue, ...] = ()) -> Snapshot:
    store = Store()
    pieces = tuple(store.write(path, [content]) for path, content in files)
    digest = digest_of(pieces, issues)
    return Snapshot("c" * 40, digest, "mirror /made/up", {"https://example.org/a": '"tag"'}, issues, pieces, store)


@pytest.mark.parametrize("slug", SLUGS)
def test_what_was_fetched_comes_back_byte_for_byte(slug: str) -> None:
    fetched = fetch(SOURCE_OF[slug], mirror=str(SAMPLES))
    assert isinstance(fetched, Snapshot)
    keep(slug, fetched)
    back = kept(slug, fetched.digest)
    assert back is not None
    assert (back.version, back.digest, back.origin) == (fetched.version, fetched.digest, fetched.origin)
    assert (back.validators, back.issues) == (fetched.validators, fetched.issues)
    assert list(back.files()) == list(fetched.files())


def test_issues_and_empty_files_are_kept_too() -> None:
    issues = (Issue(path="rules/ö.yml", message="a symbolic link: skipped"), Issue(path="x", message="y", line=3))
    snapshot = snapshot_of(("a/empty.yml", b""), ("b.yml", b"\x00\xff\n" * 9), issues=issues)
    keep("sigma", snapshot)
    back = kept("sigma", snapshot.digest)
    assert back is not None
    assert (back.issues, [file.data for file in back.files()]) == (issues, [b"", b"\x00\xff\n" * 9])


def test_snapshot_is_kept_compressed_and_once(snapshots_folder: Path) -> None:
    snapshot = snapshot_of(("big.json", b"all the same " * 500_000))
    keep("attack", snapshot)
    file = snapshots_folder / "attack" / snapshot.digest
    before = file.stat()
    keep("attack", snapshot)
    assert before.st_size < 6_500_000 / 50
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in (snapshots_folder / "attack").iterdir()] == [snapshot.digest]


def test_snapshot_belongs_to_its_source() -> None:
    snapshot = snapshot_of(("a.yml", b"1"))
    keep("sigma", snapshot)
    assert (is_kept("sigma", snapshot.digest), is_kept("elastic", snapshot.digest)) == (True, False)
    assert kept("elastic", snapshot.digest) is None


@pytest.mark.parametrize("name", ["", "../sigma/x", "A" * 64, "0" * 63])
def test_what_is_no_digest_is_not_looked_up(name: str) -> None:
    assert kept("sigma", name) is None


def truncated(data: bytes) -> bytes:
    return data[: len(data) // 2]


def other_content(data: bytes) -> bytes:
    return gzip.compress(gzip.decompress(data).replace(b"level: high", b"level: low!"))


def other_version_of_one_file(data: bytes) -> bytes:
    """A file and its hash are exchanged: each fits, and the whole is another one."""
    header, _, content = gzip.decompress(data).partition(b"\n")
    fresh = snapshot_of(("a.yml", content.replace(b"high", b"low!")))
    told = json.loads(header) | {"files": [[piece.path, piece.size, piece.sha256] for piece in fresh.pieces]}
    return gzip.compress(json.dumps(told).encode() + b"\n" + next(iter(fresh.files())).data)


DAMAGES = [truncated, other_content, other_version_of_one_file, lambda data: b"", lambda data: gzip.compress(b"[]\n")]


@pytest.mark.parametrize("damage", DAMAGES, ids=["truncated", "content", "exchanged", "empty", "no header"])
def test_damaged_snapshot_is_never_given_and_is_kept_anew(damage, snapshots_folder: Path) -> None:
    snapshot = snapshot_of(("a.yml", b"level: high\n" * 50))
    keep("sigma", snapshot)
    file = snapshots_folder / "sigma" / snapshot.digest
    file.write_bytes(damage(file.read_bytes()))
    assert kept("sigma", snapshot.digest) is None
    assert not file.exists()
    keep("sigma", snapshot)
    assert kept("sigma", snapshot.digest) is not None


def test_header_that_announces_more_than_any_source_has_is_refused(snapshots_folder: Path) -> None:
    header = {"version": "", "origin": "", "validators": {}, "issues": [], "files": [["a", 1 << 40, "0" * 64]]}
    storages["snapshots"].save("sigma/" + "0" * 64, ContentFile(gzip.compress(json.dumps(header).encode() + b"\n")))
    assert kept("sigma", "0" * 64) is None


def test_memory_stays_bounded_however_large_a_file_is() -> None:
    store = Store()
    block = bytes(range(256)) * 4096
    pieces = (store.write("big.json", (block for _ in range(48))),)
    snapshot = Snapshot("", digest_of(pieces, ()), "", {}, (), pieces, store)
    tracemalloc.start()
    keep("attack", snapshot)
    assert kept("attack", snapshot.digest) is not None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4_000_000


def test_storage_that_refuses_says_which_and_what_to_do(snapshots_folder: Path) -> None:
    snapshots_folder.write_text("a file where the folder should be")
    with pytest.raises(NotKept) as caught:
        keep("sigma", snapshot_of(("a.yml", b"1")))
    assert str(snapshots_folder) in str(caught.value)
    assert "Make room there, or mend the access to it" in str(caught.value)


@pytest.mark.django_db
def test_run_whose_snapshot_cannot_be_kept_fails_and_writes_nothing(snapshots_folder: Path, world: SmallWorld) -> None:
    world.rule("a")
    snapshots_folder.write_text("a file where the folder should be")
    run = world.run("sigma")
    assert (run.status, run.created) == ("failed", 0)
    assert run.error.startswith(f"The snapshot cannot be kept in {snapshots_folder}")


@pytest.mark.django_db
def test_three_applied_versions_and_the_newest_previews_are_kept(snapshots_folder: Path, world: SmallWorld) -> None:
    applied = []
    for number in range(5):
        world.rule("a", title=f"Version {number}")
        applied.append(world.run("sigma").digest)
    world.rule("b")
    preview = world.run("sigma", dry_run=True).digest
    assert {file.name for file in (snapshots_folder / "sigma").iterdir()} == {*applied[-3:], preview}
    assert len({*applied, preview}) == 6


@pytest.mark.django_db
def test_sweep_leaves_other_sources_alone(snapshots_folder: Path) -> None:
    snapshot = snapshot_of(("a.yml", b"1"))
    keep("sigma", snapshot)
    keep("elastic", snapshot)
    make_run(make_source("sigma", digest="f" * 64), digest="f" * 64)
    sweep(DataSource.objects.get(slug="sigma"))
    assert (is_kept("sigma", snapshot.digest), is_kept("elastic", snapshot.digest)) == (False, True)
    sweep(DataSource.objects.get(slug="caldera"))


@pytest.mark.django_db
def test_snapshot_of_a_run_that_failed_is_swept_by_the_next(snapshots_folder: Path, world: SmallWorld) -> None:
    snapshot = snapshot_of(("a.yml", b"1"))
    keep("sigma", snapshot)
    world.rule("a")
    run = world.run("sigma")
    assert ImportRun.objects.get() == run
    assert [file.name for file in (snapshots_folder / "sigma").iterdir()] == [run.digest]
