"""Choosing and checking: what of an archive, folder or single file goes into the store, and what becomes an issue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from imports.fetchers.limits import FetchError, Limits, size_text
from imports.fetchers.names import matcher, shown, trouble
from imports.fetchers.snapshot import Piece, Store
from imports.upstream import Issue, Source


class Intake:
    """Collects the wanted files of one archive or folder (`where`, for messages)."""

    def __init__(self, source: Source, store: Store, where: str, limits: Limits) -> None:
        self.source, self.store, self.where, self.limits = source, store, where, limits
        self.wants = matcher(source.files)
        self.entries = 0
        self._pieces: dict[str, Piece] = {}
        self._issues: dict[str, Issue] = {}

    def count(self) -> None:
        """One more entry of any kind. Raises FetchError past the limit."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise FetchError(f"{self.where} holds more than {self.limits.entries:,} entries: not read further.")

    def offer(self, path: str, kind: str, size: int, read: Callable[[], bytes]) -> None:
        """Takes a wanted file. One that may not be used is named as an issue, and so are both of a pair of one name."""
        if path in self._pieces or path in self._issues:
            self.refuse(path, "two entries of this name: neither is used")
        elif reason := self._unusable(path, kind, size):
            self.refuse(path, f"{reason}: skipped")
        else:
            self._pieces[path] = self.store.write(path, [read()])

    def refuse(self, path: str, message: str) -> None:
        self._pieces.pop(path, None)
        self._issues[path] = Issue(path=shown(path), message=message)

    def _unusable(self, path: str, kind: str, size: int) -> str:
        if kind:
            return f"{kind}, not a regular file"
        if size > self.limits.of(path):
            return f"{size_text(size)}, more than the {size_text(self.limits.of(path))} that such a file may have"
        return trouble(path, self.limits)

    def chosen(self) -> list[Piece]:
        """The files by path, after the source's own selection. Raises FetchError when there are none at all."""
        names = sorted(self._pieces)
        if self.source.select is not None:
            selected = set(self.source.select(names))
            names = [name for name in names if name in selected]
        if not names:
            raise FetchError(self._nothing())
        return [self._pieces[name] for name in names]

    def issues(self) -> list[Issue]:
        return [self._issues[path] for path in sorted(self._issues)]

    def _nothing(self) -> str:
        patterns = ", ".join(self.source.files)
        reasons = "".join(f" {issue.path}: {issue.message}." for issue in self.issues()[:3])
        return (
            f"{self.where} holds no usable file that matches {patterns}.{reasons} Is it the right one for {self.source.label}?"
            " If upstream moved its files, Aegis has to learn the new place."
        )


def capped(chunks: Iterable[bytes], limit: int, where: str) -> Iterator[bytes]:
    """The same chunks; raises FetchError once they are longer than the limit."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise FetchError(
                f"{where} is larger than {size_text(limit)}, more than such a file may have: not read further."
            )
        yield chunk
