"""Reads a bundle: the signature first, then every hash; only then is anything of it believed."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import IO, BinaryIO

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from imports.bundles.contents import FORMAT, MANIFEST, SIGNATURE, Contents, Packed
from imports.bundles.keys import signed_by
from imports.fetchers import LIMITS, FetchError, Snapshot
from imports.fetchers.limits import CHUNK, MIB, size_text
from imports.fetchers.snapshot import Piece, Store
from imports.fetchers.tar import Entry, TarStream
from imports.snapshots import DAMAGED, unpacked

_MANIFEST_SIZE = 1 * MIB
_SIGNATURE_SIZE = 1024


@dataclass(frozen=True)
class Bundle:
    """A bundle whose signature and hashes are right. `fingerprint` is the SHA-256 of its signed list."""

    name: str
    contents: Contents
    signed_by: str
    fingerprint: str
    snapshots: Mapping[str, Snapshot]


def read_bundle(file: Path, trusted: Mapping[str, Ed25519PublicKey], wanted: Collection[str] = ()) -> Bundle:
    """The bundle with the snapshots of the wanted sources, all if none are named; each byte of the file is verified.

    Raises FetchError with the reason: not a bundle, unsigned, signed with another key, changed, cut short.
    """
    try:
        with _opened(file) as raw:
            return read_opened(raw, str(file), trusted, wanted)
    except OSError as error:
        raise FetchError(f"{file} cannot be read ({error.strerror}).") from error


def _opened(file: Path) -> BinaryIO:
    raw = os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        raw.close()
        raise FetchError(f"{file} is not a regular file.")
    return raw


def read_opened(
    raw: BinaryIO, where: str, trusted: Mapping[str, Ed25519PublicKey], wanted: Collection[str] = ()
) -> Bundle:
    """The same for a file that is open; `where` is what to call it. Raises FetchError."""
    tar = TarStream(iter(lambda: raw.read(CHUNK), b""), where)
    entries = tar.entries()
    told = _member(tar, entries, MANIFEST, _MANIFEST_SIZE, "is not a bundle of Aegis")
    line = _member(tar, entries, SIGNATURE, _SIGNATURE_SIZE, "is not signed")
    key = signed_by(told, line, trusted, where)
    contents = _contents(told, where)
    store = Store()
    pieces = {each.source: _payload(tar, entries, each, store) for each in contents.snapshots}
    if next(entries, None) is not None:
        raise FetchError(f"{where} holds more than its signed list says. Not imported.")
    if absent := [slug for slug in wanted if slug not in pieces]:
        raise FetchError(f"{where} holds no snapshot of {', '.join(absent)}; it holds {', '.join(pieces) or 'none'}.")
    chosen = [each for each in contents.snapshots if not wanted or each.source in wanted]
    name = f"bundle {Path(where).name} of {contents.made_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    snapshots = {each.source: _snapshot(each, store.opened(pieces[each.source]), name) for each in chosen}
    return Bundle(name, contents, key, hashlib.sha256(told).hexdigest(), snapshots)


def _member(tar: TarStream, entries: Iterator[Entry], name: str, limit: int, otherwise: str) -> bytes:
    entry = next(entries, None)
    if entry is None or (entry.name, entry.kind) != (name, ""):
        raise FetchError(f"{tar.where} {otherwise}: `{name}` is not where it belongs. Not imported.")
    if entry.size > limit:
        raise FetchError(f"{tar.where}: `{name}` is larger than {size_text(limit)}: not read further.")
    return tar.read(entry)


def _contents(told: bytes, where: str) -> Contents:
    try:
        contents = msgspec.json.decode(told, type=Contents)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise FetchError(f"{where}: its list of snapshots cannot be read ({error}).") from error
    if contents.format != FORMAT or contents.made_at.tzinfo is None:
        raise FetchError(
            f"{where} has the format {contents.format}; this version of Aegis reads {FORMAT}. Update Aegis."
        )
    if len({each.source for each in contents.snapshots}) != len(contents.snapshots):
        raise FetchError(f"{where} names a source twice. Not imported.")
    return contents


def _payload(tar: TarStream, entries: Iterator[Entry], said: Packed, store: Store) -> Piece:
    if said.size > LIMITS.download:
        raise FetchError(f"{tar.where}: {said.member} is larger than {size_text(LIMITS.download)}: not read further.")
    entry = next(entries, None)
    if entry is None or (entry.name, entry.kind, entry.size) != (said.member, "", said.size):
        raise FetchError(
            f"{tar.where} is not what was signed: {said.member} is missing or of another size. Not imported."
        )
    piece = store.write(said.member, tar.chunks(entry))
    if piece.sha256 != said.sha256:
        raise FetchError(f"{tar.where} was changed after it was signed: {said.member} has another hash. Not imported.")
    return piece


def _snapshot(said: Packed, content: IO[bytes], name: str) -> Snapshot:
    try:
        with gzip.GzipFile(fileobj=content) as stream:
            snapshot = unpacked(stream)  # type: ignore[arg-type]  # a GzipFile reads like any binary file
    except DAMAGED as error:
        raise FetchError(f"{name}: the snapshot of {said.source} cannot be read ({error}). Not imported.") from error
    if snapshot.digest != said.digest:
        raise FetchError(f"{name}: the snapshot of {said.source} is another than its list says. Not imported.")
    return replace(snapshot, origin=f"{name}, from {snapshot.origin}")
