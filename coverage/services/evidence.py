"""Giving evidence: the object is stored and hashed first, then its row appears together with the test's new version."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import IO, Final

from django.conf import settings
from django.db import transaction

from aegis.accounts.models import User
from aegis.audit.recording import record
from aegis.lib.outages import OUTAGES
from coverage.evidence import room, vault
from coverage.evidence.room import NoRoom
from coverage.evidence.vault import Stored
from coverage.models import Evidence, Test, TestInvolvement
from coverage.services.writing import involve, lock_person, locked, moved, permit, settle, write
from coverage.testing.refusals import Conflict
from coverage.testing.workflow import Action

SWEEP_AFTER: Final = timedelta(hours=24)
NAMELESS: Final = "unnamed"


class ChecksumMismatch(Conflict):
    """The bytes that arrived are not those that the uploader hashed; nothing was kept."""


class TooMany(Exception):
    """The test has as many files as it may have."""


def expect_evidence(*, by: User, test: Test, size: int) -> None:
    """Refuse an upload of at least `size` bytes that cannot be kept, before it arrives. Raises NoRoom, vault.TooLarge."""
    with _refusal_noted(by, test):
        room.require_room(by, size)


def attach_evidence(
    *,
    by: User,
    test: Test,
    side: str,
    file: IO[bytes],
    name: str,
    caption: str = "",
    content_type: str = "",
    sha256: str = "",
) -> Evidence:
    """Store `file` as evidence of one side of a test that may be edited, and return its row.

    Raises NotAllowed, IllegalMove, ChecksumMismatch (if `sha256` is given and differs), vault.TooLarge, vault.Unavailable,
    NoRoom and TooMany; whatever is raised, no row exists then, and no object stays that the sweep would not find.
    """
    permit(by, "evidence.add", test)
    moved(test, Action.EDIT)
    expect_evidence(by=by, test=test, size=getattr(file, "size", None) or 0)
    stored = vault.put(file, limit=settings.EVIDENCE_MAX_BYTES)
    try:
        _compare(stored, sha256)
        described = {"name": safe_name(name), "caption": caption, "content_type": content_type[:128]}
        with _refusal_noted(by, test):
            return _keep(by, test, side, stored, described)
    except OUTAGES:  # the row may have been committed before the database went away; if not, the sweep finds the object
        raise
    except BaseException:
        vault.discard(stored.key)
        raise


@contextmanager
def _refusal_noted(by: User, test: Test) -> Iterator[None]:
    """Leave a trace of whoever gives more than one person may."""
    try:
        yield
    except NoRoom as refusal:
        facts = {"size": refusal.size, "used": refusal.room.used, "limit": refusal.room.limit}
        with transaction.atomic():
            record(by, "evidence.refused", test, after=facts)
        raise


def _compare(stored: Stored, sha256: str) -> None:
    if sha256 and sha256.lower() != stored.sha256:
        message = f"The file that arrived has the SHA-256 {stored.sha256}, not {sha256.lower()}: send it again."
        raise ChecksumMismatch(message)


@transaction.atomic
def _keep(by: User, test: Test, side: str, stored: Stored, described: dict[str, str]) -> Evidence:
    standing = locked(test)
    permit(by, "evidence.add", standing)
    state = moved(standing, Action.EDIT)
    if standing.evidence.count() >= settings.EVIDENCE_MAX_FILES:
        raise TooMany(f"A test has at most {settings.EVIDENCE_MAX_FILES} files of evidence.")
    lock_person(by)
    room.require_room(by, stored.size)
    evidence = Evidence(
        test=standing,
        side=side,
        caption=described["caption"],
        original_name=described["name"],
        content_type=described["content_type"],
        key=stored.key,
        size=stored.size,
        sha256=stored.sha256,
        uploaded_by=by,
    )
    evidence.full_clean(exclude=["test", "uploaded_by"])
    evidence.save()
    involve(by, standing, TestInvolvement.Kind.EVIDENCE)
    write(standing, by, "gave evidence to", {"state": state})
    after = {"evidence": str(evidence.pk), "side": side, "sha256": stored.sha256, "size": stored.size}
    settle(by, standing, "evidence_added", after=after)
    return evidence


@transaction.atomic
def note_download(*, by: User, evidence: Evidence) -> None:
    """Leave a trace that `by` took a copy."""
    record(by, "evidence.downloaded", evidence, after={"sha256": evidence.sha256, "test": evidence.test_id})


def safe_name(name: str) -> str:
    """The uploader's file name as data: its last part, without control and direction characters, at most 255 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        character for character in last if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    return kept.strip().strip(".")[-255:] or NAMELESS


def faults() -> list[str]:
    """What is wrong with stored evidence: one line for each file that is gone or not what was uploaded."""
    found = []
    for evidence in Evidence.objects.select_related("test").order_by("pk").iterator(chunk_size=200):
        try:
            size, sha256 = vault.digest_of(evidence.key)
        except FileNotFoundError:
            found.append(f"{evidence.pk} ({evidence.original_name}, test {evidence.test_id}): the object is gone")
            continue
        if (size, sha256) != (evidence.size, evidence.sha256):
            found.append(f"{evidence.pk} ({evidence.original_name}, test {evidence.test_id}): the object was changed")
    return found


def sweep() -> int:
    """Remove objects without a row that are older than a day, left by uploads that broke off. Returns how many."""
    known = set(Evidence.objects.values_list("key", flat=True))
    found = list(vault.orphans(known, older_than=SWEEP_AFTER))
    for key in found:
        vault.discard(key)
    return len(found)
