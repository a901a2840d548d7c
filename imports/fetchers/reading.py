"""From raw bytes or a folder to files in the store: one function per shape in which a source comes."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from imports.fetchers.gunzip import GZIP, decoded, head_of
from imports.fetchers.intake import Intake, capped
from imports.fetchers.limits import FetchError, Limits, size_text
from imports.fetchers.names import trouble
from imports.fetchers.snapshot import Piece, Store
from imports.fetchers.tar import Entry, TarStream
from imports.upstream import GitHubArchive

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_COMMIT_AT_END = re.compile(r"-([0-9a-f]{40}|[0-9a-f]{64})$")
_BOM = b"\xef\xbb\xbf"


def read_file(raw: BinaryIO, path: str, where: str, store: Store, limits: Limits) -> Piece:
    """One file, gunzipped where it is gzip. Raises FetchError when it is empty, a web page, damaged or too large."""
    chunks = capped(decoded(raw, where, limits), limits.of(path), where)
    return store.write(path, _checked(chunks, path, where))


def _checked(chunks: Iterator[bytes], path: str, where: str) -> Iterator[bytes]:
    first = b""
    for chunk in chunks:
        first += chunk
        if len(first) >= 512:
            break
    if mistake := _not_the_file(first, path):
        raise FetchError(f"{where} {mistake}.")
    yield first
    yield from chunks


def _not_the_file(first: bytes, path: str) -> str:
    start = first.removeprefix(_BOM).lstrip()
    if not start:
        return "is empty. Fetch it again"
    if start.startswith(b"<") and not path.endswith((".xml", ".html")):
        return _WEB_PAGE
    if first.startswith(GZIP):
        return _TWICE
    if path.endswith(".json") and not start.startswith((b"{", b"[")):
        return "is not JSON"
    return ""


_TWICE = "is gzip inside gzip: unpack it once"
_WEB_PAGE = (
    "is a web page, not the file. A proxy, a login page or a rate limit may have answered instead: open it in a browser"
)


def read_archive(raw: BinaryIO, archive: GitHubArchive, intake: Intake) -> str:
    """The wanted files of a tar.gz into the intake; gives the commit or "". Reads the archive to its end before it returns."""
    if mistake := _not_an_archive(head_of(raw)):
        raise FetchError(f"{intake.where} {mistake}.")
    tar = TarStream(_packed_once(decoded(raw, intake.where, intake.limits), intake.where), intake.where)
    top = ""
    for entry in tar.entries():
        intake.count()
        name = entry.name.removeprefix("./")
        if not top and not trouble(name, intake.limits):
            top = _top_folder(name, archive, intake.where)
        _offer(entry, name, top, tar, intake)
    named = _COMMIT_AT_END.search(top)
    return tar.comment if _COMMIT.fullmatch(tar.comment) else named[1] if named else ""


def _packed_once(chunks: Iterator[bytes], where: str) -> Iterator[bytes]:
    first = next(chunks, b"")
    if first.startswith(GZIP):
        raise FetchError(f"{where} {_TWICE}.")
    yield first
    yield from chunks


def _not_an_archive(head: bytes) -> str:
    if head.startswith(GZIP):
        return ""
    start = head.removeprefix(_BOM).lstrip()
    if not head:
        return "is empty. Fetch it again"
    if start.startswith(b"<"):
        return _WEB_PAGE
    if start.startswith((b"{", b"[")):
        return "is JSON, not a tar.gz archive. GitHub answers so when it refuses: read it for the reason"
    if head.startswith(b"PK"):
        return "is a zip archive; the tar.gz archive is needed"
    return "is not a tar.gz archive"


def _top_folder(name: str, archive: GitHubArchive, where: str) -> str:
    top = name.partition("/")[0]
    expected = archive.repository.rpartition("/")[2]
    if top.lower() != expected.lower() and not top.lower().startswith(f"{expected.lower()}-"):
        raise FetchError(
            f"{where} is not an archive of {archive.repository}: its first folder is `{top}`, expected `{expected}-…`."
            f" Take the tar.gz that GitHub makes, or `git archive --prefix={expected}-HEAD/`."
        )
    return top


def _offer(entry: Entry, name: str, top: str, tar: TarStream, intake: Intake) -> None:
    folder, _, path = name.partition("/")
    if not intake.wants(path):
        return
    if folder == top:
        intake.offer(path, entry.kind, entry.size, lambda: tar.read(entry))
    else:
        intake.refuse(path, f"outside the archive's folder `{top}`: skipped")


@dataclass(frozen=True, slots=True)
class _Found:
    path: str
    kind: str
    file: Path
    size: int


def read_folder(folder: Path, intake: Intake) -> str:
    """The wanted files below a folder into the intake; gives the commit of a Git checkout or "". Follows no links."""
    total = 0
    for found in _walk(folder, intake):
        total += found.size
        if total > intake.limits.decoded:
            raise FetchError(f"{intake.where} holds more than {size_text(intake.limits.decoded)}: not read further.")
        intake.offer(found.path, found.kind, found.size, partial(_content, found.file, intake))
    return commit_of(folder)


def _walk(folder: Path, intake: Intake) -> Iterator[_Found]:
    waiting = [("", folder)]
    while waiting:
        prefix, place = waiting.pop()
        with os.scandir(place) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            intake.count()
            path = prefix + entry.name
            if entry.is_dir(follow_symlinks=False) and path != ".git":
                waiting.append((f"{path}/", Path(entry.path)))
            if intake.wants(path):
                yield _found(path, entry)


def _found(path: str, entry: os.DirEntry[str]) -> _Found:
    status = entry.stat(follow_symlinks=False)
    kinds = (
        (stat.S_ISREG, ""),
        (stat.S_ISLNK, "a symbolic link"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
    )
    kind = next((kind for test, kind in kinds if test(status.st_mode)), "a device")
    return _Found(path, kind, Path(entry.path), 0 if kind else status.st_size)


def _content(file: Path, intake: Intake) -> bytes:
    limit = intake.limits.of(file.name)
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
        data = opened.read(limit + 1)
    if len(data) > limit:
        raise FetchError(f"{file} grew past {size_text(limit)} while it was read. Try again when nothing writes there.")
    return data


def commit_of(folder: Path) -> str:
    """The commit that a Git checkout stands at, read from `.git` without Git; "" when that is not plain to see."""
    head = _line(folder / ".git" / "HEAD")
    if not head.startswith("ref: refs/") or ".." in head:
        return head if _COMMIT.fullmatch(head) else ""
    name = head.removeprefix("ref: ")
    commit = _line(folder / ".git" / name) or _packed(folder / ".git" / "packed-refs", name)
    return commit if _COMMIT.fullmatch(commit) else ""


def _line(file: Path) -> str:
    if not file.is_file():
        return ""
    with file.open("rb") as opened:
        return opened.read(1024).decode("utf-8", "replace").strip()


def _packed(file: Path, name: str) -> str:
    if not file.is_file():
        return ""
    with file.open(encoding="utf-8", errors="replace") as lines:
        return next((line.split()[0] for line in lines if line.strip().endswith(f" {name}")), "")
