"""How much one fetch may take, and the one error it ends with when it takes more or finds something else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

MIB = 1024 * 1024
CHUNK = 64 * 1024


class FetchError(Exception):
    """Why the bytes of a source could not be had: which address or file, what happened, what to do.

    `status` is what the server answered, where that is why.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Missing(FetchError):
    """Nothing is at this address (404, 410, or no such file)."""


def _member_sizes() -> Mapping[str, int]:
    return {".json": 96 * MIB, ".yml": 2 * MIB, ".yaml": 2 * MIB, ".toml": 1 * MIB}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Sizes in bytes, times in seconds. The defaults stand several times above what the real sources need.

    `slowest` is the pace in bytes a second below which a body is given up, once it has had `read` seconds.
    """

    download: int = 256 * MIB
    decoded: int = 1024 * MIB
    ratio: int = 100
    ratio_from: int = 10 * MIB
    entries: int = 100_000
    member: Mapping[str, int] = field(default_factory=_member_sizes)
    other_member: int = 2 * MIB
    path_bytes: int = 512
    path_depth: int = 20

    connect: float = 10
    read: float = 30
    total: float = 300
    slowest: int = 10_000
    retries: int = 4
    backoff: float = 1
    retry_after: float = 60
    redirects: int = 3

    def of(self, path: str) -> int:
        """The largest size that a file of this name may have."""
        return self.member.get(PurePosixPath(path).suffix.lower(), self.other_member)


LIMITS = Limits()


def size_text(size: int) -> str:
    """A size for people: "96 MiB", "2,048 bytes"."""
    return f"{size // MIB:,} MiB" if size >= MIB and size % MIB == 0 else f"{size:,} bytes"
