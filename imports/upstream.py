"""How a source is described: where it is, which of its files are records, and how one file is read.

Everything here is plain data and pure functions. The network is in `fetchers`, the database in `engine`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imports.records import Record


class ParseError(ValueError):
    """A file, or one object in it, that cannot be read. `line` counts from 1 where the format has lines."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """A part of a file that was skipped, and why. A parser yields it beside records when the rest of the file is good.

    `lossless` says that it costs no row: what else of the file is gone may be withdrawn.
    """

    message: str
    path: str = ""
    line: int | None = None
    lossless: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """The version that a file itself tells ("18.1"), yielded by parsers whose upstream has no commit to go by."""

    text: str


@dataclass(frozen=True)
class SourceFile:
    """One upstream file: its path inside the repository (or the URL's path), and its bytes."""

    path: str
    data: bytes

    @cached_property
    def text(self) -> str:
        """The file as text. Raises ParseError when it is not UTF-8 (a byte order mark is dropped)."""
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.data.count(b"\n", 0, error.start) + 1
            raise ParseError(f"not UTF-8 text: byte {error.start} cannot be decoded", line=line) from error


@dataclass(frozen=True, slots=True)
class GitHubArchive:
    """A branch of a public repository, as the tar.gz that GitHub makes of it."""

    repository: str
    branch: str

    @property
    def url(self) -> str:
        return f"https://codeload.github.com/{self.repository}/tar.gz/refs/heads/{self.branch}"

    def page(self, path: str, version: str) -> str:
        """The address of the page that shows `path` at commit `version`."""
        return f"https://github.com/{self.repository}/blob/{version or self.branch}/{path}"


@dataclass(frozen=True, slots=True)
class HttpsFile:
    """One file behind a URL. Its SourceFile.path is the URL's path without the leading slash."""

    url: str

    def page(self, path: str, version: str) -> str:
        return self.url


Fetch = GitHubArchive | HttpsFile


def itself(path: str) -> str:
    """The path: of most files there is one edition."""
    return path


@dataclass(frozen=True, slots=True)
class TaxiiCollection:
    """A collection on a TAXII server with the objects of one HTTPS file, `stands_for`. Its id differs between servers; the
    title does not."""

    id: str
    title: str
    stands_for: HttpsFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One upstream, whole.

    `files` are glob patterns on paths inside archives (`**` crosses folders, `*` does not); single HTTPS files always
    count. `select` narrows the matching archive paths further when that takes a look at all of them, such as for the newest
    of several editions; `edition_of` then says what a path is an edition of, so that a new edition that cannot be read
    leaves standing what an older one at another path brought. `parse` turns one file into records and issues; ParseError
    means that the whole file is unreadable. `assemble` joins records of several
    files: it sees all of them at once, each with its path, and yields the same way; both are pure. `complete` says that
    the files only make sense together: one that cannot be read fails the run instead of being skipped. `taxii` is where the
    same objects may be had from a TAXII server.
    """

    slug: str
    label: str
    license: str
    homepage: str
    fetch: tuple[Fetch, ...]
    parse: Callable[[SourceFile], Iterator[Record | Issue | Version]]
    every: timedelta
    files: tuple[str, ...] = ()
    select: Callable[[list[str]], list[str]] | None = None
    edition_of: Callable[[str], str] = itself
    assemble: Callable[[Iterable[tuple[str, Record]]], Iterator[tuple[str, Record | Issue]]] | None = None
    complete: bool = False
    taxii: TaxiiCollection | None = None
    notes: tuple[str, ...] = field(default=())
