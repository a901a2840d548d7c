"""Bundles: what goes in comes out, and nothing else does."""

import base64
import gzip
import hashlib
import io
import json
import os
import random
import stat
import subprocess
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imports.bundles.contents import MANIFEST, SIGNATURE
from imports.bundles.keys import BadKey, key_id, make_pair, public_text, read_private, signature, trusted_keys
from imports.bundles.reading import Bundle, read_bundle
from imports.bundles.writing import Item, write_bundle
from imports.fetchers import FetchError, fetch
from imports.fetchers.snapshot import Snapshot
from imports.fetchers.tests.worlds import WANTED, rules
from imports.fetchers.tests.worlds import source as made_up
from imports.snapshots import packed

KEY = Ed25519PrivateKey.from_private_bytes(b"a key of the tests, thirty-two b")
OTHER = Ed25519PrivateKey.from_private_bytes(b"another key of the tests, 32 byt")
TRUSTED = trusted_keys([public_text(KEY.public_key())])
MADE_AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
SOURCE = made_up()


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    (tmp_path / "rules.tar.gz").write_bytes(rules())
    found = fetch(SOURCE, local=str(tmp_path / "rules.tar.gz"))
    assert isinstance(found, Snapshot)
    return found


@pytest.fixture
def file(tmp_path: Path, snapshot: Snapshot) -> Path:
    """A bundle of one source."""
    file = tmp_path / "all.aegis"
    write_bundle(file, [Item(SOURCE, snapshot, "v1")], KEY, made_at=MADE_AT, made_by="Aegis 9")
    return file


def read(file: Path, *wanted: str) -> Bundle:
    return read_bundle(file, TRUSTED, wanted)


def members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive}


def rewrite(file: Path, content: dict[str, bytes]) -> None:
    with tarfile.open(file, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def told(file: Path, **changes: object) -> dict[str, bytes]:
    """The members with a changed list, signed anew with the trusted key."""
    content = members(file)
    contents = json.loads(content[MANIFEST])
    [one] = contents["snapshots"]
    for name, value in changes.items():
        (contents if name in contents else one)[name] = value
    content[MANIFEST] = json.dumps(contents).encode()
    return content | {SIGNATURE: signature(content[MANIFEST], KEY)}


def test_snapshot_comes_out_as_it_went_in(file: Path, snapshot: Snapshot) -> None:
    bundle = read(file)
    assert list(bundle.snapshots) == ["acme"]
    found = bundle.snapshots["acme"]
    assert {each.path: each.data for each in found.files()} == WANTED
    assert (found.digest, found.version, found.issues) == (snapshot.digest, snapshot.version, snapshot.issues)
    assert found.origin == f"bundle all.aegis of 2026-02-03 04:05:06 UTC, from {snapshot.origin}"
    assert bundle.signed_by == key_id(KEY.public_key())


def test_bundle_says_what_it_holds(file: Path, snapshot: Snapshot) -> None:
    content = members(file)
    assert list(content) == [MANIFEST, SIGNATURE, "acme.snapshot.gz"]
    contents = json.loads(content[MANIFEST])
    assert (contents["format"], contents["made_at"], contents["made_by"]) == (1, "2026-02-03T04:05:06Z", "Aegis 9")
    [one] = contents["snapshots"]
    assert {name: one[name] for name in ("source", "version", "license", "files", "digest", "size")} == {
        "source": "acme",
        "version": "v1",
        "license": "CC0-1.0",
        "files": 2,
        "digest": snapshot.digest,
        "size": len(content["acme.snapshot.gz"]),
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [each.name for each in file.parent.iterdir() if each.name.startswith(".")] == []


def test_same_input_gives_the_same_bytes(file: Path, snapshot: Snapshot) -> None:
    first = file.read_bytes()
    write_bundle(file, [Item(SOURCE, snapshot, "v1")], KEY, made_at=MADE_AT, made_by="Aegis 9")
    assert file.read_bytes() == first


def test_every_changed_byte_is_noticed_or_is_no_content(file: Path, snapshot: Snapshot) -> None:
    """A thousand single bytes, wherever they are: refused, or (in the padding of the archive) without any effect."""
    good = file.read_bytes()
    chance = random.Random(7)
    refused = 0
    for _ in range(1_000):
        at = chance.randrange(len(good))
        changed = bytearray(good)
        changed[at] ^= 1 << chance.randrange(8)
        file.write_bytes(changed)
        try:
            found = read(file).snapshots["acme"]
        except FetchError:
            refused += 1
        else:
            assert (found.digest, found.version) == (snapshot.digest, snapshot.version)
    assert refused > 100
    file.write_bytes(good)
    content = members(file)
    for name, data in content.items():
        for at in range(0, len(data), 7):
            rewrite(file, content | {name: data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]})
            with pytest.raises(FetchError):
                read(file)


@pytest.mark.parametrize("part", [0, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_truncated_bundle_is_refused(file: Path, part: float) -> None:
    whole = file.read_bytes().rstrip(b"\0")
    file.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(FetchError, match=r"cut short|not a bundle"):
        read(file)


BROKEN: dict[str, tuple[Callable[[Path], dict[str, bytes]], str]] = {
    "unsigned": (
        lambda file: {name: data for name, data in members(file).items() if name != SIGNATURE},
        "is not signed",
    ),
    "empty signature": (lambda file: members(file) | {SIGNATURE: b""}, "is not signed"),
    "signature of another list": (
        lambda file: members(file) | {SIGNATURE: signature(b"x", KEY)},
        "changed after it was signed",
    ),
    "signed by a stranger": (
        lambda file: members(file) | {SIGNATURE: signature(members(file)[MANIFEST], OTHER)},
        f"signed with the key {key_id(OTHER.public_key())}, which is not trusted here",
    ),
    "stranger under a trusted name": (
        lambda file: (
            members(file)
            | {SIGNATURE: signature(b"", KEY)[:17] + base64.b64encode(OTHER.sign(members(file)[MANIFEST])) + b"\n"}
        ),
        "changed after it was signed",
    ),
    "signature without context": (
        lambda file: (
            members(file)
            | {SIGNATURE: signature(b"", KEY)[:17] + base64.b64encode(KEY.sign(members(file)[MANIFEST])) + b"\n"}
        ),
        "changed after it was signed",
    ),
    "list changed": (
        lambda file: members(file) | {MANIFEST: members(file)[MANIFEST] + b" "},
        "changed after it was signed",
    ),
    "snapshot changed": (
        lambda file: members(file) | {"acme.snapshot.gz": bytes(len(members(file)["acme.snapshot.gz"]))},
        "has another hash",
    ),
    "snapshot longer": (
        lambda file: members(file) | {"acme.snapshot.gz": members(file)["acme.snapshot.gz"] + b"x"},
        "missing or of another size",
    ),
    "snapshot missing": (lambda file: dict(list(members(file).items())[:2]), "missing or of another size"),
    "more than the list": (
        lambda file: members(file) | {"../../etc/passwd": b"x"},
        "holds more than its signed list says",
    ),
    "other order": (lambda file: dict(reversed(members(file).items())), "is not a bundle of Aegis"),
    "future format": (lambda file: told(file, format=2), "has the format 2; this version of Aegis reads 1"),
    "no zone": (lambda file: told(file, made_at="2026-02-03T04:05:06"), "this version of Aegis reads 1"),
    "list is no list": (lambda file: told(file, snapshots=7), "list of snapshots cannot be read"),
    "other digest": (lambda file: told(file, digest="0" * 64), "is another than its list says"),
    "too large": (lambda file: told(file, size=2**40), "larger than 256 MiB"),
    "manifest too large": (lambda file: {MANIFEST: bytes(2**20 + 1)}, "larger than 1 MiB"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_bundle_that_is_not_what_was_signed_is_refused_with_the_reason(file: Path, case: str) -> None:
    change, says = BROKEN[case]
    rewrite(file, change(file))
    with pytest.raises(FetchError, match=says):
        read(file)


def test_signed_snapshot_is_still_read_with_limits(file: Path, tmp_path: Path, snapshot: Snapshot) -> None:
    header, _, content = gzip.decompress(b"".join(packed(snapshot))).partition(b"\n")
    for payload in (b"no gzip", gzip.compress(b"[" * 100_000), gzip.compress(header + b"\n" + content[:-1])):
        data = {"size": len(payload), "sha256": hashlib.sha256(payload).hexdigest()}
        rewrite(tmp_path / "bad", told(file, **data) | {"acme.snapshot.gz": payload})
        with pytest.raises(FetchError, match="the snapshot of acme cannot be read"):
            read(tmp_path / "bad")


@pytest.mark.parametrize("content", [b"", b"x", bytes(2_000), b"<html>", gzip.compress(b"x" * 2_000, mtime=0)])
def test_file_that_is_no_bundle_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(FetchError, match=r"not a bundle|cut short|not a readable tar"):
        read(tmp_path / "x")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match="No such file"):
        read(tmp_path / "absent")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FetchError, match="not a regular file"):
        read(tmp_path / "pipe")
    with pytest.raises(FetchError, match=r"not a regular file|Is a directory"):
        read(tmp_path)


def test_source_that_is_not_inside_is_named(file: Path) -> None:
    with pytest.raises(FetchError, match="holds no snapshot of sigma; it holds acme"):
        read(file, "sigma")


def test_nothing_is_written_when_the_disk_says_no(tmp_path: Path, snapshot: Snapshot) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_bundle(tmp_path / "no" / "x", [Item(SOURCE, snapshot, "")], KEY, made_at=MADE_AT, made_by="x")


def test_pair_is_private_and_never_overwritten(tmp_path: Path) -> None:
    public = make_pair(tmp_path / "k")
    assert stat.S_IMODE((tmp_path / "k").stat().st_mode) == 0o600
    assert public_text(read_private(tmp_path / "k").public_key()) == public_text(public)
    assert trusted_keys([], [tmp_path / "k.pub"]).keys() == {key_id(public)}
    with pytest.raises(FileExistsError):
        make_pair(tmp_path / "k")


def test_private_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    make_pair(tmp_path / "k")
    (tmp_path / "k").chmod(0o640)
    with pytest.raises(BadKey, match="can be read by others"):
        read_private(tmp_path / "k")


NO_KEY = b"-----BEGIN %s-----\nAAAA\n-----END %s-----\n" % (2 * (b"PRIVATE KEY",))


@pytest.mark.parametrize("content", [b"", b"x", NO_KEY])
def test_file_without_a_private_key_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "k").write_bytes(content)
    (tmp_path / "k").chmod(0o600)
    with pytest.raises(BadKey, match="holds no private key"):
        read_private(tmp_path / "k")


def test_key_of_another_kind_is_named(tmp_path: Path) -> None:
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "X25519", "-out", tmp_path / "k"], check=True, capture_output=True
    )
    (tmp_path / "k").chmod(0o600)
    with pytest.raises(BadKey, match="another kind"):
        read_private(tmp_path / "k")


@pytest.mark.parametrize("word", ["x", "AAAA", public_text(KEY.public_key())[:-2], "ä", "-----BEGIN PUBLIC KEY-----"])
def test_word_that_is_no_public_key_is_named(word: str) -> None:
    with pytest.raises(BadKey, match="is not a public key of a bundle"):
        trusted_keys([word])


def test_unreadable_file_of_public_keys_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="cannot be read as a public key"):
        trusted_keys([], [tmp_path / "absent"])


def test_openssl_agrees_with_the_signature(file: Path, tmp_path: Path) -> None:
    """Anybody can check a bundle without Aegis."""
    content = members(file)
    (tmp_path / "content").write_bytes(b"aegis bundle, format 1\n" + content[MANIFEST])
    (tmp_path / "signature").write_bytes(base64.b64decode(content[SIGNATURE].split()[1]))
    der = bytes.fromhex("302a300506032b6570032100") + KEY.public_key().public_bytes_raw()
    (tmp_path / "public.der").write_bytes(der)
    options = [
        "-verify",
        "-pubin",
        "-keyform",
        "DER",
        "-inkey",
        "public.der",
        "-rawin",
        "-in",
        "content",
        "-sigfile",
        "signature",
    ]
    found = subprocess.run(["openssl", "pkeyutl", *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verified Successfully" in found.stdout + found.stderr
