"""Bytes of a source from GitHub archives, HTTPS files, TAXII, a mirror or this machine: safe, bounded, nothing extracted.

`fetch` is the way in. It knows no settings: limits, extra hosts and the mirror are arguments. It returns only after
every part was read to its end and checked, so what a parser sees is complete.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from imports.fetchers.addresses import is_mirror_url, mirror_route, public_route
from imports.fetchers.download import Downloader, Progress, tls_context
from imports.fetchers.intake import Intake
from imports.fetchers.limits import LIMITS, FetchError, Limits, Missing
from imports.fetchers.reading import read_archive, read_file, read_folder
from imports.fetchers.snapshot import NotModified, Piece, Snapshot, Store, digest_of
from imports.fetchers.taxii import TAXII_LIMITS, TaxiiServer, taxii_route, taxii_snapshot
from imports.fetchers.ways import Found, Local, MirrorFolder, MirrorSite, Network, Way, place_of
from imports.upstream import Fetch, GitHubArchive, Issue, Source

__all__ = [
    "LIMITS",
    "FetchError",
    "Limits",
    "Missing",
    "NotModified",
    "Progress",
    "Snapshot",
    "TaxiiServer",
    "fetch",
    "fetch_by",
]


_REASON = 400


def silent(url: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


def fetch(
    source: Source,
    *,
    mirror: str = "",
    local: str = "",
    validators: Mapping[str, str] | None = None,
    extra_hosts: Collection[str] = (),
    limits: Limits = LIMITS,
    progress: Progress = silent,
    agent: str = "Aegis",
    taxii: Sequence[TaxiiServer] = (),
) -> Snapshot | NotModified:
    """All wanted files of a source; NotModified when every part is what `validators` (of an earlier Snapshot) stand for.

    `local` wins over `mirror`, `mirror` over the network. `mirror` is a folder or an http(s) address. On the network, a
    source that is in a TAXII collection is asked for at the servers of `taxii` first, in turn; why none of them served is
    in the origin of what comes. `progress` is told the address, the bytes so far and the total where known, while something
    is downloaded.

    Raises FetchError with a message for whoever can act.
    """
    servers = taxii if source.taxii and not (mirror or local) else ()
    failures: list[str] = []
    for server in servers:
        try:
            loader = Downloader(taxii_route(server.url, extra_hosts), TAXII_LIMITS, progress, agent, tls_context())
            return taxii_snapshot(server, source, loader, validators or {}, limits)
        except FetchError as error:
            failures.append(f"{server.name} did not serve: {str(error)[:_REASON]}")
    way = _way(
        source, mirror=mirror, local=local, extra_hosts=extra_hosts, limits=limits, progress=progress, agent=agent
    )
    return _after(failures, way, source, validators or {}, limits)


def _after(
    failures: Sequence[str], way: Way, source: Source, validators: Mapping[str, str], limits: Limits
) -> Snapshot | NotModified:
    """What the way brings, and with it what failed before."""
    try:
        found = fetch_by(way, source, validators=validators, limits=limits)
    except FetchError as error:
        raise type(error)(" ".join([str(error), *failures])) from error
    return replace(found, origin="; ".join([found.origin, *failures]))


def _way(
    source: Source,
    *,
    mirror: str,
    local: str,
    extra_hosts: Collection[str],
    limits: Limits,
    progress: Progress,
    agent: str,
) -> Way:
    if local:
        return Local(Path(local), source, limits)
    if mirror and not is_mirror_url(mirror):
        return MirrorFolder(Path(mirror), limits)
    if mirror:
        return MirrorSite(mirror, Downloader(mirror_route(mirror), limits, progress, agent, tls_context()))
    others = f" and {len(source.fetch) - 1} more" if len(source.fetch) > 1 else ""
    downloader = Downloader(public_route(extra_hosts), limits, progress, agent, tls_context())
    return Network(f"{source.fetch[0].url}{others}", downloader)


def fetch_by(
    way: Way, source: Source, *, validators: Mapping[str, str], limits: Limits = LIMITS
) -> Snapshot | NotModified:
    """The same by a given way."""
    with ExitStack() as opened:
        try:
            found = [_find(way, part, validators, opened) for part in source.fetch]
            if not any(found):
                return NotModified(way.origin, dict(validators))
            whole = [each or _find_anew(way, part, opened) for each, part in zip(found, source.fetch, strict=True)]
            return _read(way.origin, source, whole, limits)
        except OSError as error:
            raise FetchError(f"{error.filename or way.origin}: {error.strerror or error}.") from error


def _find(way: Way, part: Fetch, validators: Mapping[str, str], opened: ExitStack) -> Found | None:
    found = way.find(part, validators)
    if found is not None:
        opened.callback(found.close)
    return found


def _find_anew(way: Way, part: Fetch, opened: ExitStack) -> Found:
    found = _find(way, part, {}, opened)
    if found is None:
        raise FetchError(f"{part.url} is said to be unchanged although nothing was compared. Try again later.")
    return found


def _read(origin: str, source: Source, found: Iterable[Found], limits: Limits) -> Snapshot:
    store = Store()
    version = ""
    pieces: list[Piece] = []
    issues: list[Issue] = []
    validators: dict[str, str] = {}
    for part, each in zip(source.fetch, found, strict=True):
        validators.update(each.validators)
        if isinstance(part, GitHubArchive):
            intake = Intake(source, store, each.where, limits)
            version = _take_archive(part, each, intake) or version
            pieces += intake.chosen()
            issues += intake.issues()
        elif each.raw is not None:
            path = place_of(part.url).partition("/")[2]
            pieces.append(read_file(each.raw, path, each.where, store, limits))
    digest = digest_of(pieces, issues)
    return Snapshot(version, digest, origin, validators, tuple(issues), tuple(pieces), store)


def _take_archive(archive: GitHubArchive, found: Found, intake: Intake) -> str:
    if found.folder is not None:
        return read_folder(found.folder, intake)
    return read_archive(found.raw, archive, intake) if found.raw is not None else ""
