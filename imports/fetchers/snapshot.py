"""What a fetch brought back: the bytes of every wanted file, kept in one anonymous temporary file."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imports.upstream import Issue, SourceFile


@dataclass(frozen=True, slots=True)
class Piece:
    """Where one file's bytes lie in the store, and their SHA-256."""

    path: str
    start: int
    size: int
    sha256: str


class Store:
    """An anonymous temporary file (it never has a name that lasts), closed when nobody holds the store any more."""

    def __init__(self) -> None:
        with tempfile.TemporaryFile() as file:
            self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)
        self._end = 0

    def write(self, path: str, chunks: Iterable[bytes]) -> Piece:
        """Appends the chunks as one file. Raises OSError when the disk is full."""
        start, digest = self._end, hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
            self._append(chunk)
        return Piece(path, start, self._end - start, digest.hexdigest())

    def _append(self, chunk: bytes) -> None:
        rest = memoryview(chunk)
        while rest:
            written = os.pwrite(self._descriptor, rest, self._end)
            self._end += written
            rest = rest[written:]

    def read(self, piece: Piece) -> bytes:
        return os.pread(self._descriptor, piece.size, piece.start)

    def chunks(self, piece: Piece, size: int) -> Iterator[bytes]:
        """The same in chunks of at most `size` bytes."""
        for start in range(0, piece.size, size):
            yield os.pread(self._descriptor, min(size, piece.size - start), piece.start + start)

    def opened(self, piece: Piece) -> io.BufferedReader:
        """The same as a file that is open for reading."""
        return io.BufferedReader(_Opened(self, piece))


class _Opened(io.RawIOBase):
    """A piece of a store as a file."""

    def __init__(self, store: Store, piece: Piece) -> None:
        self._chunks, self._rest = store.chunks(piece, io.DEFAULT_BUFFER_SIZE), b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as a chunk goes; 0 at the end."""
        self._rest = self._rest or next(self._chunks, b"")
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


@dataclass(frozen=True)
class Snapshot:
    """All wanted files of a source at one moment.

    `version` is the commit where the archive or checkout names one, else "". `digest` is the SHA-256 over the paths and
    contents of all files and over the issues, so the same content has the same digest however it came. `issues` are
    files that match the source's patterns and cannot be used. `validators` maps addresses to the ETag or Last-Modified
    to ask with next time.
    """

    version: str
    digest: str
    origin: str
    validators: Mapping[str, str]
    issues: tuple[Issue, ...]
    pieces: tuple[Piece, ...]
    store: Store

    def files(self) -> Iterator[SourceFile]:
        """Every file, one in memory at a time. May be called again, also while another pass is running."""
        for piece in self.pieces:
            yield SourceFile(path=piece.path, data=self.store.read(piece))


@dataclass(frozen=True)
class NotModified:
    """Every part of the source is still what the remembered validators stand for."""

    origin: str
    validators: Mapping[str, str]


def digest_of(pieces: Iterable[Piece], issues: Iterable[Issue]) -> str:
    """SHA-256 over the sorted (path, content) and (path, reason) pairs, as 64 hexadecimal digits."""
    lines = [f"file {piece.path}\0{piece.sha256}\n" for piece in pieces]
    lines += [f"issue {issue.path}\0{issue.message}\n" for issue in issues]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
