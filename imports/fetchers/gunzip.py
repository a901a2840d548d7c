"""Bytes as they were meant: gunzipped where they are gzip, never more than the limits allow, complete or an error."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from imports.fetchers.limits import CHUNK, FetchError, Limits, size_text

GZIP = b"\x1f\x8b"
_STREAMS = 20_000


def head_of(raw: BinaryIO, size: int = 512) -> bytes:
    """The first bytes; the position stays at the start."""
    raw.seek(0)
    head = raw.read(size)
    raw.seek(0)
    return head


def decoded(raw: BinaryIO, where: str, limits: Limits) -> Iterator[bytes]:
    """The content in chunks. Raises FetchError when it is damaged, cut short or larger than the limits."""
    if head_of(raw).startswith(GZIP):
        return _Gunzip(where, limits).chunks(raw)
    return _plain(raw, where, limits)


def _plain(raw: BinaryIO, where: str, limits: Limits) -> Iterator[bytes]:
    made = 0
    while chunk := raw.read(CHUNK):
        made += len(chunk)
        if made > limits.decoded:
            raise FetchError(f"{where} is larger than {size_text(limits.decoded)}: not read further.")
        yield chunk


class _Gunzip:
    """One pass over gzip data (RFC 1952): several streams in a row are one content, zero bytes may pad the end."""

    def __init__(self, where: str, limits: Limits) -> None:
        self.where, self.limits = where, limits
        self.taken = self.made = 0
        self.streams = 1
        self.decoder = zlib.decompressobj(wbits=31)

    def chunks(self, raw: BinaryIO) -> Iterator[bytes]:
        try:
            while piece := raw.read(CHUNK):
                yield from self._unpack(piece)
            yield from self._rest()
        except zlib.error as error:
            raise FetchError(
                f"{self.where} is damaged: its gzip data cannot be read ({error}). Fetch it again."
            ) from error

    def _unpack(self, piece: bytes) -> Iterator[bytes]:
        self.taken += len(piece)
        while piece:
            if self.decoder.eof:
                piece = piece.lstrip(b"\0")
                if not piece:
                    return
                self._next_stream()
            chunk = self.decoder.decompress(piece, CHUNK)
            piece = self.decoder.unconsumed_tail or self.decoder.unused_data
            self._count(chunk, pending=len(piece))
            yield chunk

    def _next_stream(self) -> None:
        self.streams += 1
        if self.streams > _STREAMS:
            raise FetchError(f"{self.where} is {_STREAMS:,} gzip streams in a row: not read further.")
        self.decoder = zlib.decompressobj(wbits=31)

    def _rest(self) -> Iterator[bytes]:
        while chunk := b"" if self.decoder.eof else self.decoder.decompress(b"", CHUNK):
            self._count(chunk, pending=0)
            yield chunk
        if not self.decoder.eof:
            raise FetchError(
                f"{self.where} is cut short: its gzip data ends after {self.taken:,} bytes. Fetch it again."
            )

    def _count(self, chunk: bytes, *, pending: int) -> None:
        self.made += len(chunk)
        if self.made > self.limits.decoded:
            raise FetchError(f"{self.where} unpacks to more than {size_text(self.limits.decoded)}: not read further.")
        if self.made > self.limits.ratio_from and self.made > self.limits.ratio * (self.taken - pending):
            raise FetchError(
                f"{self.where} unpacks to more than {self.limits.ratio} times its size, as a decompression bomb does:"
                " not read further."
            )
