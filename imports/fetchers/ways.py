"""The three ways to a source's parts: the public network, a mirror (folder or address), and what `--from` names."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from imports.fetchers.download import Downloader
from imports.fetchers.limits import FetchError, Limits, Missing, size_text
from imports.upstream import Fetch, GitHubArchive, Source


@dataclass(frozen=True)
class Found:
    """One part of a source: bytes in `raw`, or a `folder` that stands for an archive. `where` names it for people."""

    where: str
    raw: BinaryIO | None = None
    folder: Path | None = None
    validators: Mapping[str, str] = field(default_factory=dict)

    def close(self) -> None:
        if self.raw is not None:
            self.raw.close()


class Way(Protocol):
    """How parts are reached. `origin` says it for people."""

    @property
    def origin(self) -> str: ...

    def find(self, part: Fetch, validators: Mapping[str, str]) -> Found | None:
        """The part, or None when it is still what the validators stand for. Raises FetchError."""


@dataclass(frozen=True)
class Network:
    """Straight from upstream."""

    origin: str
    downloader: Downloader

    def find(self, part: Fetch, validators: Mapping[str, str]) -> Found | None:
        return _downloaded(self.downloader, part.url, validators)


@dataclass(frozen=True)
class MirrorSite:
    """From `<mirror>/<host>/<path>` or `<path>.gz` on a web server."""

    mirror: str
    downloader: Downloader

    @property
    def origin(self) -> str:
        return f"mirror {self.mirror}"

    def find(self, part: Fetch, validators: Mapping[str, str]) -> Found | None:
        url = f"{self.mirror.rstrip('/')}/{place_of(part.url)}"
        for address in (url, f"{url}.gz"):
            try:
                return _downloaded(self.downloader, address, validators)
            except Missing:
                continue
        raise Missing(f"The mirror has neither {url} nor {url}.gz. Fetch {part.url} and put it there.")


def _downloaded(downloader: Downloader, url: str, validators: Mapping[str, str]) -> Found | None:
    download = downloader.get(url, validators.get(url, ""))
    if download is None:
        return None
    return Found(url, raw=download.raw, validators={url: download.validator} if download.validator else {})


def place_of(url: str) -> str:
    """Where a mirror keeps a URL: `<host>/<path>`, as `wget -x` lays it out."""
    parts = urlsplit(url)
    if ".." in parts.path.split("/"):
        raise FetchError(f"{url} has no place in a mirror: its path leads upwards.")
    return f"{parts.netloc}{parts.path}"


@dataclass(frozen=True)
class MirrorFolder:
    """From `<mirror>/<host>/<path>` or `<path>.gz` on disk; in the place of an archive a folder of its files will do."""

    folder: Path
    limits: Limits

    @property
    def origin(self) -> str:
        return f"mirror {self.folder}"

    def find(self, part: Fetch, validators: Mapping[str, str]) -> Found | None:
        place = self.folder / place_of(part.url)
        if not self.folder.is_dir():
            raise Missing(f"The mirror {self.folder} is not a folder. Check --mirror or AEGIS_MIRROR.")
        found = at(place, part, self.limits)
        if found is None:
            raise Missing(
                f"The mirror has neither {place} nor {place.name}.gz beside it. Fetch {part.url} and put it there."
            )
        return found


@dataclass(frozen=True)
class Local:
    """From one archive, file or folder on this machine. A folder is a mirror, or a checkout, or holds the files by name."""

    path: Path
    source: Source
    limits: Limits

    @property
    def origin(self) -> str:
        return f"--from {self.path}"

    def find(self, part: Fetch, validators: Mapping[str, str]) -> Found | None:
        if self.path.is_dir():
            return self._inside(part)
        if not self.path.exists():
            raise Missing(f"{self.path} does not exist. Check the path given with --from.")
        if len(self.source.fetch) > 1:
            names = ", ".join(place_of(each.url) for each in self.source.fetch)
            raise FetchError(f"{self.source.label} consists of several parts: give a folder that holds {names}.")
        return _opened(self.path, self.limits)

    def _inside(self, part: Fetch) -> Found:
        candidates = list(self._candidates(part))
        for place in candidates:
            if (found := at(place, part, self.limits)) is not None:
                return found
        raise Missing(
            f"{self.path} does not hold {part.url}: looked for {', '.join(str(place) for place in candidates)}."
        )

    def _candidates(self, part: Fetch) -> Iterator[Path]:
        place = place_of(part.url)
        yield self.path / place
        if isinstance(part, GitHubArchive):
            name = part.repository.rpartition("/")[2]
            yield self.path / f"{name}.tar.gz"
            folders = (self.path, self.path / name)
            yield next((folder for folder in folders if self._holds_files(folder)), self.path)
        else:
            pieces = place.split("/")[1:]
            yield from (self.path.joinpath(*pieces[start:]) for start in range(len(pieces)))

    def _holds_files(self, folder: Path) -> bool:
        return any(True for pattern in self.source.files for _ in folder.glob(pattern))


def at(place: Path, part: Fetch, limits: Limits) -> Found | None:
    """What stands at a place: the file, the same gzipped with `.gz` behind its name, or, for an archive, a folder."""
    if place.is_file():
        return _opened(place, limits)
    packed = place.with_name(f"{place.name}.gz")
    if packed.is_file():
        return _opened(packed, limits)
    if place.is_dir() and isinstance(part, GitHubArchive):
        return Found(str(place), folder=place)
    return None


def _opened(file: Path, limits: Limits) -> Found:
    raw = os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb")
    status = os.fstat(raw.fileno())
    if stat.S_ISREG(status.st_mode) and status.st_size <= limits.download:
        return Found(str(file), raw=raw)
    raw.close()
    raise FetchError(f"{file} is not a regular file of at most {size_text(limits.download)}.")
