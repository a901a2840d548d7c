"""A copy of an embedded installation, made while it runs: a folder that Aegis can be started in as it is."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.files.storage import storages
from django.db import connection

SECRETS: Final = ("secret_key", "jwt_signing_key", "audit_hmac_key")
FOLDERS: Final = ("evidence", "snapshots")


class NotHere(RuntimeError):
    """This installation is not one folder: it cannot be copied as one."""


def back_up(target: Path) -> int:
    """Copy database, evidence, snapshots and secrets into the new folder `target`; the bytes written.

    The database goes first: each file that it names was there before, and evidence is never changed. Raises NotHere,
    FileExistsError, OSError, sqlite3.Error.
    """
    folders = {name: _folder(name) for name in FOLDERS}
    database = _database()
    target.mkdir(mode=0o700, parents=True)
    _copy_database(database, target / "aegis.sqlite3")
    for name, folder in folders.items():
        if folder.is_dir():
            shutil.copytree(folder, target / name)
    for name in SECRETS:
        if (secret := settings.DATA_DIR / name).is_file():
            shutil.copy2(secret, target / name)
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


def _database() -> str:
    if connection.vendor != "sqlite":
        raise NotHere("the database is a server: back it up with pg_dump, as docs/operations.md says")
    return str(connection.settings_dict["NAME"])


def _folder(name: str) -> Path:
    store: Any = storages[name]
    if hasattr(store, "bucket_name"):
        raise NotHere(f"{name} lies in a bucket: copy the bucket, as docs/operations.md says")
    return Path(store.location)


def _copy_database(source: str, target: Path) -> None:
    """By SQLite's own backup: one state of the database, while others write."""
    target.touch(mode=0o600)
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)) as standing,
        closing(sqlite3.connect(target)) as copy,
    ):
        standing.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
