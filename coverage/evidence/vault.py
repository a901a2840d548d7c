"""Where evidence lies: random keys, hashed while it is written, never whole in memory, and no object without a size limit.

Local files by default, any S3 when `MINIO_*` is set (`STORAGES["evidence"]` in the settings).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import IO, Final

from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.utils import timezone

FOLDER: Final = "ev"
CHUNK: Final = 1024 * 1024
LINK_SECONDS: Final = 60


class TooLarge(Exception):
    """The file is larger than allowed; nothing of it was kept. The message says how much is."""


class Unavailable(Exception):
    """The storage does not answer, or refuses; nothing was kept."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that is safely there."""

    key: str
    size: int
    sha256: str


class Measured(File):  # type: ignore[type-arg]
    """A file that counts and hashes what is read from it, and stops at `limit` bytes."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        super().__init__(file)
        self._source, self._limit = file, limit
        self._restart()

    def _restart(self) -> None:
        self._hash, self.read_bytes = sha256(), 0

    @property
    def hexdigest(self) -> str:
        """SHA-256 of what was read so far."""
        return self._hash.hexdigest()

    def read(self, size: int = -1) -> bytes:
        """The next bytes. Raises TooLarge as soon as the limit is passed."""
        data = self._source.read(size)
        self._hash.update(data)
        self.read_bytes += len(data)
        if self.read_bytes > self._limit:
            raise TooLarge(f"The file is larger than {self._limit // (1024 * 1024)} MB, which is the limit.")
        return data

    def seekable(self) -> bool:
        """No: a storage that jumped about in it, or read a part twice, would spoil the hash."""
        return False

    def seek(self, offset: int, whence: int = 0) -> int:
        """Back to the start only: a hash cannot be read in pieces."""
        if (offset, whence) != (0, 0):
            raise OSError("evidence is read from its start to its end")
        self._restart()
        return self._source.seek(0)

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """All of it, piece by piece."""
        self.seek(0)
        while data := self.read(chunk_size or CHUNK):
            yield data


def storage() -> Storage:
    """The configured evidence storage."""
    return storages["evidence"]


def put(file: IO[bytes], *, limit: int) -> Stored:
    """Store a file under a new random key. Raises TooLarge or Unavailable, and then leaves nothing behind."""
    key = f"{FOLDER}/{uuid.uuid4()}"
    measured = Measured(file, limit)
    measured.seek(0)
    try:
        kept = storage().save(key, measured)
    except TooLarge:
        discard(key)
        raise
    except Exception as error:
        if measured.read_bytes:  # else nothing was sent: a storage that does not answer is not asked once more
            discard(key)
        raise Unavailable(f"The evidence storage does not take the file: {type(error).__name__}") from error
    return Stored(kept, measured.read_bytes, measured.hexdigest)


def discard(key: str) -> None:
    """Remove an object, if it is there; what cannot be removed now is swept later."""
    try:
        storage().delete(key)
    except Exception:  # noqa: BLE001 (whatever the storage raises: the sweep will find the object)
        return


def digest_of(key: str) -> tuple[int, str]:
    """Size and SHA-256 of an object as it lies there now. Raises FileNotFoundError when it is gone."""
    with storage().open(key) as file:
        measured = Measured(file, 1 << 62)
        for _ in measured.chunks():
            pass
    return measured.read_bytes, measured.hexdigest


def orphans(known: set[str], *, older_than: timedelta) -> Iterator[str]:
    """Keys of objects that no row knows and that are older than an upload could take."""
    limit: datetime = timezone.now() - older_than
    store = storage()
    try:
        _, names = store.listdir(FOLDER)
    except FileNotFoundError:
        return
    for name in names:
        key = f"{FOLDER}/{name}"
        if key not in known and store.get_modified_time(key) < limit:
            yield key
