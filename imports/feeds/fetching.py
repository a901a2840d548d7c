"""The bytes of one feed, by the ways and under the rules of `imports.fetchers`: from its host, or from a mirror."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from imports.fetchers import silent
from imports.fetchers.addresses import is_mirror_url, mirror_route, public_route
from imports.fetchers.download import Downloader, tls_context
from imports.fetchers.gunzip import decoded
from imports.fetchers.limits import MIB, FetchError, Limits, Missing
from imports.fetchers.ways import Found, MirrorFolder, MirrorSite, Network, Way
from imports.upstream import HttpsFile

AGENT: Final = "Aegis (feed reader)"
FEED_LIMITS: Final = Limits(
    download=8 * MIB,
    decoded=8 * MIB,
    ratio_from=2 * MIB,
    connect=8,
    read=15,
    total=25,
    retries=1,
    backoff=1,
    retry_after=5,
    redirects=3,
)
"""What one feed may take: with the seconds that its reader has, a scan of feeds side by side ends within a minute."""
NVD_LIMITS: Final = replace(FEED_LIMITS, download=64 * MIB, decoded=64 * MIB)
PAGE_LIMITS: Final = replace(FEED_LIMITS, download=2 * MIB, decoded=2 * MIB, connect=5, read=8, total=10, retries=0)


@dataclass(frozen=True)
class Fetched:
    """The bytes, where they came from in words, and what to ask with next time."""

    data: bytes
    origin: str
    validators: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FeedWay:
    """How feeds are reached: `mirror` (a folder or an address) instead of their hosts where it is given."""

    mirror: str = ""
    hosts: Collection[str] = ()

    @property
    def from_mirror(self) -> bool:
        """Whether a mirror stands for the hosts: then there is one file for an address, whatever is asked behind the `?`."""
        return bool(self.mirror)

    def fetch(self, url: str, validators: Mapping[str, str], limits: Limits) -> Fetched | None:
        """The bytes at an address, None where they are still what the validators stand for.

        Raises FetchError for the person who can act.
        """
        way = self._way(url, limits)
        try:
            found = _first(way, url, validators)
            if found is None:
                return None
            try:
                assert found.raw is not None, "only archives are folders"  # noqa: S101
                return Fetched(b"".join(decoded(found.raw, found.where, limits)), way.origin, found.validators)
            finally:
                found.close()
        except OSError as error:
            raise FetchError(f"{error.filename or url}: {error.strerror or error}.") from error

    def _way(self, url: str, limits: Limits) -> Way:
        if self.mirror and not is_mirror_url(self.mirror):
            return MirrorFolder(Path(self.mirror), limits)
        if self.mirror:
            return MirrorSite(self.mirror, Downloader(mirror_route(self.mirror), limits, silent, AGENT, tls_context()))
        return Network(url, Downloader(public_route(self.hosts), limits, silent, AGENT, tls_context()))


def _first(way: Way, url: str, validators: Mapping[str, str]) -> Found | None:
    """The first of the places where the address may lie. Raises the FetchError of the plain one."""
    missing: Missing | None = None
    for place in _places(way, url):
        try:
            return way.find(HttpsFile(place), validators)
        except Missing as error:
            missing = missing or error
    assert missing is not None, "there is at least one place"  # noqa: S101
    raise missing


def _places(way: Way, url: str) -> Iterator[str]:
    """A mirror cannot keep a file called `feed/`: it is `feed`, or `feed/index.html`, as `wget -x` has it."""
    if isinstance(way, Network) or not urlsplit(url).path.endswith("/"):
        yield url
        return
    path = url.partition("?")[0]
    yield path.rstrip("/")
    yield f"{path}index.html"
