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
        """The files by path, after the source's own selection. Raises FetchError when there are none at all, or when one is
        missing of files that only make sense together.
        """
        self._select()
        if not self._pieces:
            raise FetchError(self._nothing())
        if self.source.complete and self._issues:
            raise FetchError(self._incomplete())
        return [self._pieces[path] for path in sorted(self._pieces)]

    def issues(self) -> list[Issue]:
        return [self._issues[path] for path in sorted(self._issues)]

    def _select(self) -> None:
        """Forget what the source does not select. What may not be used is selected like all else: no older file takes the place
        of a newer one that cannot be read.
        """
        if self.source.select is None:
            return
        selected = set(self.source.select(sorted({*self._pieces, *self._issues})))
        self._pieces = {path: piece for path, piece in self._pieces.items() if path in selected}
        self._issues = {path: issue for path, issue in self._issues.items() if path in selected}

    def _incomplete(self) -> str:
        return (
            f"{self.where} holds a file that cannot be used.{self._reasons()} The files of {self.source.label} only make sense"
            " together, so that none was taken."
        )

    def _reasons(self) -> str:
        return "".join(f" {issue.path}: {issue.message}." for issue in self.issues()[:3])

    def _nothing(self) -> str:
        patterns = ", ".join(self.source.files)
        reasons = self._reasons()
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
