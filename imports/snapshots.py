"""Snapshots that are kept: what was read for a run, byte for byte, so that it can be applied later, or again.

One object of the storage "snapshots" is one snapshot, named `<source>/<digest>`: a gzip stream of one line of JSON (version,
origin, validators, issues, and path, size and SHA-256 of each file) followed by the bytes of the files in that order. Nothing
of it is believed when it is read: every file is hashed, and the whole must have the digest that it is asked for by.
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import tempfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final

from django.core.files import File
from django.core.files.storage import Storage, storages
from django.db.models import Max

from imports.fetchers import LIMITS, Snapshot
from imports.fetchers.snapshot import Piece, Store, digest_of
from imports.models import DataSource, ImportRun
from imports.standing import open_runs
from imports.upstream import Issue

logger = logging.getLogger(__name__)

KEPT: Final = 3
"""So many of the snapshots that were applied last are kept for each source."""
WAITING: Final = 10
"""So many of the newest previews and held runs that nobody has decided on are kept beside them."""
LEVEL: Final = 1
"""The fastest compression: half a second for the 45 MB of ATT&CK, and a tenth of the size."""
CHUNK: Final = 256 * 1024
HEADER: Final = 64 * 1024 * 1024
"""The longest header: a hundred bytes for each of 100,000 files are a sixth of it."""
DAMAGED: Final = (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, RecursionError, zlib.error)
"""What `unpacked` raises for bytes that are not a snapshot."""
DIGEST = re.compile(r"[0-9a-f]{64}")


class NotKept(Exception):
    """The storage refused a snapshot; the message says which storage, and why."""


def keep(slug: str, snapshot: Snapshot) -> None:
    """Keep the snapshot of the source `slug`; nothing to do if it is kept already and undamaged. Raises NotKept."""
    name = _name(slug, snapshot.digest)
    if kept(slug, snapshot.digest) is not None:
        return
    try:
        with tempfile.TemporaryFile() as file:
            for chunk in packed(snapshot):
                file.write(chunk)
            file.seek(0)
            _storage().save(name, File(file, name))
    except Exception as error:  # a disk, or any S3: each has errors of its own
        raise NotKept(
            f"The snapshot cannot be kept in {_place()}: {error}. Make room there, or mend the access to it; then import again."
        ) from error


def kept(slug: str, digest: str) -> Snapshot | None:
    """The kept snapshot with that digest, every byte verified; None if there is none. A damaged one is removed."""
    if not DIGEST.fullmatch(digest) or not _storage().exists(_name(slug, digest)):
        return None
    try:
        with _storage().open(_name(slug, digest)) as file, gzip.GzipFile(fileobj=file) as stream:
            snapshot = unpacked(stream)  # type: ignore[arg-type]  # a GzipFile reads like any binary file
    except DAMAGED as error:
        logger.warning("the kept snapshot %s of %s is damaged: %s", digest, slug, error)
        snapshot = None
    if snapshot is None or snapshot.digest != digest:
        _storage().delete(_name(slug, digest))
        return None
    return snapshot


def is_kept(slug: str, digest: str) -> bool:
    """Whether there is a kept snapshot with that digest, not looking into it."""
    return bool(DIGEST.fullmatch(digest)) and _storage().exists(_name(slug, digest))


def sweep(source: DataSource) -> None:
    """Remove the snapshots of a source that nobody will ask for again; what a storage refuses is left to the next run."""
    wanted = _wanted(source)
    try:
        _, names = _storage().listdir(source.slug)
        for name in names:
            if name not in wanted:
                _storage().delete(f"{source.slug}/{name}")
    except FileNotFoundError:
        return
    except Exception as error:  # noqa: BLE001 (whatever the storage raises: the next run sweeps again)
        logger.warning("old snapshots of %s cannot be removed from %s: %s", source.slug, _place(), error)


def _wanted(source: DataSource) -> set[str]:
    """Digests of the newest applied runs, of those that wait to be applied, and of those that wait to be read."""
    applied = source.runs.filter(dry_run=False, status=ImportRun.Status.SUCCEEDED).exclude(digest="").order_by()
    newest = applied.values("digest").annotate(newest=Max("pk")).order_by("-newest")[:KEPT]
    waiting = open_runs(source).values_list("digest", flat=True)[:WAITING]
    given = source.runs.filter(status__in=ImportRun.ACTIVE).exclude(given="").values_list("given", flat=True)
    return {source.digest, *(row["digest"] for row in newest), *waiting, *given}


def packed(snapshot: Snapshot) -> Iterator[bytes]:
    """The snapshot as it is kept, in parts."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    yield packer.compress(json.dumps(_header(snapshot)).encode() + b"\n")
    for piece in snapshot.pieces:
        for chunk in snapshot.store.chunks(piece, CHUNK):
            yield packer.compress(chunk)
    yield packer.flush()


def _header(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "version": snapshot.version,
        "origin": snapshot.origin,
        "validators": dict(snapshot.validators),
        "issues": [[issue.path, issue.message, issue.line, issue.lossless] for issue in snapshot.issues],
        "files": [[piece.path, piece.size, piece.sha256] for piece in snapshot.pieces],
    }


def unpacked(stream: IO[bytes]) -> Snapshot:
    """The snapshot in a stream, with the digest that its bytes have. Raises DAMAGED for bytes that are not as announced."""
    header = json.loads(stream.readline(HEADER))
    if sum(size for _, size, _ in header["files"]) > LIMITS.decoded:
        raise ValueError("it is larger than any source")
    store = Store()
    pieces = tuple(_piece(stream, store, path, size, sha256) for path, size, sha256 in header["files"])
    issues = tuple(
        Issue(path=path, message=message, line=line, lossless=lossless)
        for path, message, line, lossless in header["issues"]
    )
    digest = digest_of(pieces, issues)
    return Snapshot(header["version"], digest, header["origin"], header["validators"], issues, pieces, store)


def _piece(stream: IO[bytes], store: Store, path: str, size: int, sha256: str) -> Piece:
    piece = store.write(path, _chunks(stream, size))
    if (piece.size, piece.sha256) != (size, sha256):
        raise ValueError(f"{path} is not what was kept")
    return piece


def _chunks(stream: IO[bytes], size: int) -> Iterator[bytes]:
    while size > 0 and (chunk := stream.read(min(CHUNK, size))):
        size -= len(chunk)
        yield chunk


def _storage() -> Storage:
    return storages["snapshots"]


def _place() -> str:
    """The storage for people: its folder, or its bucket."""
    storage: Any = _storage()
    return str(getattr(storage, "bucket_name", "") or getattr(storage, "location", "the storage of snapshots"))


def _name(slug: str, digest: str) -> str:
    return f"{slug}/{digest}"
