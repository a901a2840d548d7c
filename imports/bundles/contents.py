"""What a bundle says about itself: the signed list of its snapshots."""

from __future__ import annotations

from datetime import datetime

import msgspec

MANIFEST = "aegis-bundle.json"
SIGNATURE = "aegis-bundle.sig"
FORMAT = 1


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """One snapshot: what it is, the member of the archive that holds it, and that member's size and SHA-256."""

    source: str
    label: str
    license: str
    homepage: str
    version: str
    digest: str
    origin: str
    files: int
    member: str
    size: int
    sha256: str


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """`made_at` orders bundles: one older than the last that was imported is refused."""

    format: int
    made_at: datetime
    made_by: str
    snapshots: tuple[Packed, ...]
