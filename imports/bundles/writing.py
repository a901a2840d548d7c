"""Writes a bundle: whole, signed, and under its name only when it is complete."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from imports.bundles.contents import FORMAT, MANIFEST, SIGNATURE, Contents, Packed
from imports.bundles.keys import signature
from imports.fetchers import Snapshot
from imports.snapshots import packed
from imports.upstream import Source


@dataclass(frozen=True, slots=True)
class Item:
    """A snapshot to be bundled, and the version that it is known under."""

    source: Source
    snapshot: Snapshot
    version: str


def write_bundle(
    file: Path, items: Iterable[Item], key: Ed25519PrivateKey, *, made_at: datetime, made_by: str
) -> Contents:
    """Write the bundle and return what it says. Raises OSError; the file then is as it was."""
    with ExitStack() as opened:
        members: list[tuple[Packed, IO[bytes]]] = []
        for item in items:
            content = opened.enter_context(tempfile.TemporaryFile())
            members.append((_pack(item, content), content))
        contents = Contents(
            format=FORMAT, made_at=made_at, made_by=made_by, snapshots=tuple(member for member, _ in members)
        )
        told = msgspec.json.format(msgspec.json.encode(contents), indent=1) + b"\n"
        with tempfile.NamedTemporaryFile(dir=file.absolute().parent, prefix=f".{file.name}.", delete=False) as draft:
            opened.callback(Path(draft.name).unlink, missing_ok=True)
            _write(draft, told, signature(told, key), members, made_at)
            os.fsync(draft.fileno())
        Path(draft.name).chmod(0o644)
        Path(draft.name).replace(file)
    return contents


def _pack(item: Item, content: IO[bytes]) -> Packed:
    digest = hashlib.sha256()
    for chunk in packed(item.snapshot):
        digest.update(chunk)
        content.write(chunk)
    return Packed(
        source=item.source.slug,
        label=item.source.label,
        license=item.source.license,
        homepage=item.source.homepage,
        version=item.version,
        digest=item.snapshot.digest,
        origin=item.snapshot.origin,
        files=len(item.snapshot.pieces),
        member=f"{item.source.slug}.snapshot.gz",
        size=content.tell(),
        sha256=digest.hexdigest(),
    )


def _write(
    draft: IO[bytes], told: bytes, signed: bytes, members: list[tuple[Packed, IO[bytes]]], made_at: datetime
) -> None:
    with tarfile.open(fileobj=draft, mode="w", format=tarfile.USTAR_FORMAT) as archive:

        def add(name: str, content: IO[bytes], size: int) -> None:
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = size, 0o644, int(made_at.timestamp())
            content.seek(0)
            archive.addfile(info, content)

        add(MANIFEST, io.BytesIO(told), len(told))
        add(SIGNATURE, io.BytesIO(signed), len(signed))
        for member, content in members:
            add(member.member, content, member.size)
    draft.flush()
