"""A collection of a TAXII server as one STIX bundle: complete by its own manifest, or not at all.

taxii2-client speaks the protocol (https://docs.oasis-open.org/cti/taxii/v2.1/); every request of it goes through our
Downloader, so that hosts, addresses, redirects, sizes and times are bounded as everywhere else.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from taxii2client import v20, v21
from taxii2client.exceptions import TAXIIServiceException

from imports.fetchers.addresses import PUBLIC_HOSTS, Route, mirror_route, public_route
from imports.fetchers.download import Download, Downloader
from imports.fetchers.gunzip import decoded
from imports.fetchers.intake import capped
from imports.fetchers.limits import LIMITS, FetchError, Limits, size_text
from imports.fetchers.snapshot import NotModified, Snapshot, Store, digest_of
from imports.fetchers.ways import place_of
from imports.upstream import Source, TaxiiCollection

_NAME = "bundle.json"
TAXII_LIMITS = replace(LIMITS, connect=5, read=30, total=90, retries=2, retry_after=15, download=LIMITS.of(_NAME))
"""Less patience than elsewhere: whatever a TAXII server holds can be had another way."""
_PAGES = 1_000
_MEDIA_TYPES = {
    "2.0": ("application/vnd.oasis.taxii+json", "application/vnd.oasis.stix+json"),
    "2.1": ("application/taxii+json", "application/stix+json"),
}
_CLIENTS = {"2.0": v20, "2.1": v21}
_STRANGE = (TAXIIServiceException, LookupError, TypeError, AttributeError, ValueError, RecursionError)
"""What taxii2-client raises when an answer is JSON and yet not what the protocol says."""


@dataclass(frozen=True, slots=True)
class TaxiiServer:
    """One API root: its protocol version ("2.0" or "2.1"), its address, and the seconds that all of it may take."""

    version: str
    url: str
    seconds: float = TAXII_LIMITS.total

    @property
    def name(self) -> str:
        return f"TAXII {self.version} {self.url}"


def taxii_route(url: str, extra_hosts: Collection[str]) -> Route:
    """The way to a TAXII server: a public host by the rules for them, one of an administrator's own as a mirror."""
    host = (urlsplit(url).hostname or "").lower()
    known = PUBLIC_HOSTS | {extra.strip().lower() for extra in extra_hosts}
    return public_route(extra_hosts) if host in known else mirror_route(url)


class Connection:
    """What taxii2-client asks its questions with. Objects stay the bytes that came, everything else becomes Python values."""

    def __init__(self, server: TaxiiServer, downloader: Downloader) -> None:
        self._server = server
        self._downloader = downloader
        self._deadline = time.monotonic() + server.seconds
        self._asked = self._bytes = 0

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The answer's fields, with `objects` as a list of msgspec.Raw. Raises FetchError."""
        address = f"{url}?{urlencode(params, doseq=True)}" if params else url
        fields = self._fields(address, self._answer(address, (headers or {}).get("Accept", "*/*")))
        return {name: _value(address, name, raw) for name, raw in fields.items()}

    def close(self) -> None:
        """Nothing stays open between two requests."""

    def _answer(self, address: str, accept: str) -> bytes:
        self._asked += 1
        left = self._deadline - time.monotonic()
        if left <= 0 or self._asked > _PAGES:
            reason = f"{self._server.seconds:g} seconds" if left <= 0 else f"{_PAGES:,} pages"
            raise FetchError(f"{address}: not read further, the collection takes more than {reason}.")
        limits = replace(self._downloader.limits, total=round(left, 1) or 0.1)
        download = replace(self._downloader, limits=limits).get(address, accept=accept)
        if download is None:
            raise FetchError(f"{address} is said to be unchanged although nothing was compared.")
        with download.raw:
            return self._content(address, download)

    def _content(self, address: str, download: Download) -> bytes:
        if download.media_type not in _MEDIA_TYPES[self._server.version]:
            raise FetchError(
                f"{address} answered {download.media_type or 'something without a media type'} instead of"
                f" {_MEDIA_TYPES[self._server.version][0]}: no TAXII server, or a proxy in between."
            )
        limits = self._downloader.limits
        body = b"".join(capped(decoded(download.raw, address, limits), limits.of(_NAME), address))
        self._bytes += len(body)
        if self._bytes > limits.decoded:
            raise FetchError(f"{address}: the collection is larger than {size_text(limits.decoded)}: not read further.")
        return body

    def _fields(self, address: str, body: bytes) -> dict[str, msgspec.Raw]:
        try:
            return msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise FetchError(f"{address} is not a JSON object ({error}).") from error


def _value(address: str, name: str, raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw, type=list[msgspec.Raw] if name == "objects" else Any)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise FetchError(f"{address}: `{name}` cannot be read ({error}).") from error


class _Entry(msgspec.Struct, gc=False):
    """What a manifest says of an object: 2.1 has a line for each version, 2.0 one for each object."""

    id: str
    version: str = ""
    versions: list[str] = msgspec.field(default_factory=list)


class _Object(msgspec.Struct, gc=False):
    id: str
    modified: str = ""


def taxii_snapshot(
    server: TaxiiServer, source: Source, downloader: Downloader, validators: Mapping[str, str], limits: Limits = LIMITS
) -> Snapshot | NotModified:
    """The whole collection of `source` as one file of the name that it stands for, so that the same rows come of it.

    NotModified when the manifest is the remembered one. Raises FetchError, also when objects of the manifest did not come.
    """
    if source.taxii is None:
        raise FetchError(f"{source.label} is in no TAXII collection.")
    try:
        return _collected(server, source.taxii, Connection(server, downloader), validators, limits)
    except _STRANGE as error:
        raise FetchError(
            f"{server.url} does not answer as a TAXII server ({type(error).__name__}: {error})."
        ) from error


def _collected(
    server: TaxiiServer,
    wanted: TaxiiCollection,
    connection: Connection,
    validators: Mapping[str, str],
    limits: Limits,
) -> Snapshot | NotModified:
    collection = _found(_CLIENTS[server.version].ApiRoot(server.url, conn=connection).collections, wanted, server)
    entries = [_read(raw, _Entry, server) for raw in _pages(collection.get_manifest, server, limits)]
    known = {f"{collection.url}manifest/": _fingerprint(entries)}
    if known.items() <= validators.items():
        return NotModified(server.name, known)
    objects = {
        (each.id, each.modified): raw
        for raw in _pages(collection.get_objects, server, limits)
        for each in [_label(raw, server)]
    }
    _require_whole({entry.id for entry in entries}, {stix_id for stix_id, _ in objects}, server)
    store = Store()
    path = place_of(wanted.stands_for.url).partition("/")[2]
    content = capped(_bundle(bytes(objects[key]) for key in sorted(objects)), limits.of(path), server.url)
    pieces = (store.write(path, content),)
    return Snapshot("", digest_of(pieces, ()), server.name, known, (), pieces, store)


def _found(collections: list[Any], wanted: TaxiiCollection, server: TaxiiServer) -> Any:
    """The collection of the wanted id, or else of the title."""
    by_id = [each for each in collections if each.id == wanted.id]
    by_title = [each for each in collections if str(each.title).casefold() == wanted.title.casefold()]
    for found in by_id + by_title:
        return found
    titles = ", ".join(str(each.title)[:60] for each in collections[:10]) or "none"
    raise FetchError(f"{server.url} holds no collection “{wanted.title}”; it holds {titles}.")


def _pages(ask: Callable[..., dict[str, Any]], server: TaxiiServer, limits: Limits) -> Iterator[msgspec.Raw]:
    """All objects of an answer of several pages. 2.0 is asked without a range: its ranges have lost objects."""
    answer, count = ask(), 0
    while found := answer.get("objects") or ():
        yield from found
        count += len(found)
        if not answer.get("more"):
            return
        if count > limits.entries:
            raise FetchError(f"{server.url} gave more than {limits.entries:,} objects: not read further.")
        # Some servers want the size again with the following page.
        answer = ask(next=str(answer.get("next") or ""), limit=len(found))
    if answer.get("more"):
        raise FetchError(f"{server.url} says that there is more, and gives nothing.")


def _fingerprint(entries: list[_Entry]) -> str:
    lines = sorted(f"{entry.id} {entry.version} {' '.join(sorted(entry.versions))}\n" for entry in entries)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _read(raw: msgspec.Raw, kind: type[_Entry], server: TaxiiServer) -> _Entry:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as error:
        raise FetchError(f"{server.url}: an entry of the manifest cannot be read ({error}).") from error


def _label(raw: msgspec.Raw, server: TaxiiServer) -> _Object:
    try:
        return msgspec.json.decode(raw, type=_Object)
    except msgspec.MsgspecError as error:
        raise FetchError(f"{server.url}: an object of the collection has no readable id ({error}).") from error


def _require_whole(promised: set[str], came: set[str], server: TaxiiServer) -> None:
    """What the manifest lists must have come. It may list less: some servers leave out what has no version."""
    if not came:
        raise FetchError(f"{server.url}: the collection is empty.")
    if missing := promised - came:
        raise FetchError(
            f"{server.url}: {len(missing):,} of the {len(promised):,} objects of its manifest did not come, for example"
            f" {min(missing)[:100]}."
        )


def _bundle(objects: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of a STIX bundle, in parts."""
    start = b'{"type":"bundle","objects":[\n'
    for content in objects:
        yield start + content
        start = b",\n"
    yield b"\n]}\n"
