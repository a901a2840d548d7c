"""Takes in a bundle that somebody uploaded: verified, its snapshots kept, and a run queued for each of its sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from aegis.accounts.models import User
from imports.bundles.accepting import accept, require_newer
from imports.bundles.keys import trusted_keys
from imports.bundles.reading import Bundle, read_opened
from imports.fetchers import FetchError
from imports.holding import OLDER
from imports.models import DataSource, ImportRun
from imports.queueing import SourceDisabled, ring
from imports.services import SOURCE_OF, describe_sources, queue
from imports.snapshots import keep


@dataclass(frozen=True)
class Taken:
    """A bundle that was taken in, the runs that read it, in the order of the sources, and the sources that were left out."""

    bundle: Bundle
    runs: list[ImportRun]
    left_out: list[str]


def take_bundle(raw: BinaryIO, name: str, *, by: User, trigger: str, dry_run: bool, allow_older: bool = False) -> Taken:
    """A preview of each source in the bundle, or an import where it is no `dry_run`: of all that are enabled, or none.

    Raises FetchError for a bundle that is refused, NotKept where there is no room, AlreadyRunning, SourceDisabled if every
    source of an import is disabled.
    """
    bundle = read_opened(raw, name, trusted_keys(settings.AEGIS_BUNDLE_KEYS))
    if not allow_older:
        require_newer(bundle)
    rows = _rows(bundle)
    disabled = [] if dry_run else [slug for slug, row in rows.items() if not row.enabled]
    if len(disabled) == len(rows):
        raise SourceDisabled(f"{', '.join(disabled)}: enable first, or ask for previews, which write nothing")
    taken = {slug: snapshot for slug, snapshot in bundle.snapshots.items() if slug not in disabled}
    for slug, snapshot in taken.items():
        keep(slug, snapshot)
    with transaction.atomic():
        asked = {"requested_by": by, "trigger": trigger, "dry_run": dry_run, "allowed": [OLDER] if allow_older else []}
        runs = [
            queue(rows[slug], given=found.digest, origin=found.origin[:1024], **asked) for slug, found in taken.items()
        ]
        accept(bundle, by)
        transaction.on_commit(lambda: _ring(runs))
    return Taken(bundle, runs, disabled)


def _ring(runs: Iterable[ImportRun]) -> None:
    for run in runs:
        ring(run)


def _rows(bundle: Bundle) -> Mapping[str, DataSource]:
    if unknown := [slug for slug in bundle.snapshots if slug not in SOURCE_OF]:
        raise FetchError(
            f"{bundle.name} holds {', '.join(unknown)}, which this version of Aegis does not know. Update it."
        )
    describe_sources()
    return {row.slug: row for row in DataSource.objects.filter(slug__in=bundle.snapshots)}
