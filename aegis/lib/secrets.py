"""Secrets that an embedded installation makes for itself."""

import os
import secrets
from contextlib import suppress
from pathlib import Path


def generated_secret(path: Path) -> str:
    """The secret kept at `path` (mode 0600), made on first use: 64 random bytes as URL-safe text."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path)
    return path.read_text().strip()


def _create(path: Path) -> None:
    """Put a whole secret at `path` unless another process was first: a link appears complete or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(draft, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(secrets.token_urlsafe(64))
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
