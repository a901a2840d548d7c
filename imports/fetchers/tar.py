"""The entries of a tar archive, read once from front to back, with nothing written anywhere.

Formats: POSIX ustar and pax (IEEE 1003.1-2017, `pax`), GNU long names. Written here because the standard library's
reader takes a damaged header for the end of the archive, reads extended headers of any size into memory, and on
older Python 3.11 searches them in quadratic time (CVE-2024-6232) or loops on negative sizes (CVE-2025-8194).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from imports.fetchers.limits import MIB, FetchError

BLOCK = 512
_META_SIZE = 1 * MIB
_META_CHAIN = 8
_PAX_KEYS = 1_000
_ZERO = bytes(BLOCK)
_KINDS = {
    b"0": "",
    b"\0": "",
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a pipe",
    b"S": "a sparse file",
}
_WITHOUT_DATA = (b"1", b"2", b"3", b"4", b"5", b"6")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `kind` is "" for a regular file, else what it is. `size` bytes of content follow in the stream."""

    name: str
    kind: str
    size: int


class TarStream:
    """A tar archive out of chunks of bytes. Every broken rule of the format raises FetchError naming `where`.

    >>> for entry in archive.entries():
    ...     content = archive.read(entry)      # or leave it: what is not read is skipped
    """

    def __init__(self, chunks: Iterator[bytes], where: str) -> None:
        self.where = where
        self.comment = ""
        self._chunks = chunks
        self._chunk = memoryview(b"")
        self._position = 0
        self._left = 0

    def entries(self) -> Iterator[Entry]:
        """The entries in the archive's order; ends only when the end mark and nothing but padding behind it was read."""
        while (header := self._header()) is not None:
            entry = self._entry(header)
            self._left = -(-entry.size // BLOCK) * BLOCK
            yield entry
            self._skip(self._left)
        self._end()

    def read(self, entry: Entry) -> bytes:
        """The content of the entry that `entries` gave last."""
        self._left -= entry.size
        return self._take(entry.size)

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        """The same as it comes, never whole in memory; to be read to its end."""
        self._left -= entry.size
        return map(bytes, self._slices(entry.size))

    def _header(self) -> bytes | None:
        at = self._position
        header = self._take(BLOCK)
        if header == _ZERO:
            return None
        total = sum(header) - sum(header[148:156]) + 8 * ord(" ")
        if total != self._number(header[148:156]):
            raise FetchError(f"{self.where} is not a readable tar archive: the header at byte {at:,} is wrong.")
        return header

    def _entry(self, header: bytes) -> Entry:
        pax: dict[str, bytes] = {}
        for _ in range(_META_CHAIN):
            kind = header[156:157]
            if kind not in (b"x", b"g", b"L", b"K"):
                return self._described(header, pax)
            self._extend(kind, self._metadata(header), pax)
            following = self._header()
            if following is None:
                break
            header = following
        raise FetchError(f"{self.where} is not a readable tar archive: extended headers without a file.")

    def _extend(self, kind: bytes, content: bytes, pax: dict[str, bytes]) -> None:
        if kind == b"g":
            comment = dict(self._records(content)).get("comment", b"")
            self.comment = comment.decode("ascii", "replace")[:200] or self.comment
        elif kind == b"x":
            pax.update(self._records(content))
        elif kind == b"L":
            pax["path"] = content.rstrip(b"\0")

    def _metadata(self, header: bytes) -> bytes:
        size = self._number(header[124:136])
        if size > _META_SIZE:
            raise FetchError(f"{self.where} holds an extended header of {size:,} bytes: not read further.")
        return self._take(-(-size // BLOCK) * BLOCK)[:size]

    def _records(self, content: bytes) -> Iterator[tuple[str, bytes]]:
        start = count = 0
        while start < len(content):
            space = content.find(b" ", start, start + 10)
            digits = content[start:space] if space > 0 else b""
            end = start + int(digits) if digits.isdigit() else 0
            key, equals, value = content[space + 1 : end - 1].partition(b"=")
            count += 1
            if not space < end <= len(content) or not equals or content[end - 1 : end] != b"\n" or count > _PAX_KEYS:
                raise FetchError(f"{self.where} is not a readable tar archive: a broken extended header.")
            yield key.decode("utf-8", "replace"), value
            start = end

    def _described(self, header: bytes, pax: dict[str, bytes]) -> Entry:
        name = pax.get("GNU.sparse.name") or pax.get("path") or self._name(header)
        size = self._pax_size(pax["size"]) if "size" in pax else self._number(header[124:136])
        type_flag = header[156:157]
        kind = _KINDS.get(type_flag, "an entry of an unknown kind")
        if any(key.startswith("GNU.sparse") for key in pax):
            kind = _KINDS[b"S"]
        if type_flag == b"S":
            self._skip_sparse_map(header)
        if name.endswith(b"/") and not kind:
            kind = _KINDS[b"5"]
        text = name.rstrip(b"/").decode("utf-8", "surrogateescape")
        return Entry(text, kind, 0 if type_flag in _WITHOUT_DATA else size)

    def _name(self, header: bytes) -> bytes:
        name = header[:100].partition(b"\0")[0]
        prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
        return prefix + b"/" + name if prefix else name

    def _skip_sparse_map(self, header: bytes) -> None:
        more = header[482]
        while more:
            more = self._take(BLOCK)[504]

    def _pax_size(self, value: bytes) -> int:
        if not value.isdigit() or len(value) > 15:
            raise FetchError(f"{self.where} is not a readable tar archive: a size that is not a number.")
        return int(value)

    def _number(self, digits: bytes) -> int:
        """A number field: octal digits, or base 256 where the first bit is set (GNU). Never negative."""
        if digits[0] == 0x80:
            return int.from_bytes(digits[1:], "big")
        text = digits.partition(b"\0")[0].strip()
        if text.strip(b"01234567"):
            raise FetchError(f"{self.where} is not a readable tar archive: a header field that is not a number.")
        return int(text or b"0", 8)

    def _end(self) -> None:
        rest = bytes(self._chunk)
        while not rest.strip(b"\0"):
            following = next(self._chunks, None)
            if following is None:
                return
            rest = following
        raise FetchError(f"{self.where} is not a readable tar archive: data behind its end.")

    def _take(self, size: int) -> bytes:
        pieces = list(self._slices(size))
        return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)

    def _skip(self, size: int) -> None:
        for _ in self._slices(size):
            pass

    def _slices(self, size: int) -> Iterator[memoryview]:
        self._position += size
        while size:
            if not self._chunk:
                self._chunk = memoryview(self._following())
            piece, self._chunk = self._chunk[:size], self._chunk[size:]
            size -= len(piece)
            yield piece

    def _following(self) -> bytes:
        for chunk in self._chunks:
            if chunk:
                return chunk
        raise FetchError(f"{self.where} is cut short: the tar archive inside ends in the middle. Fetch it again.")
