"""Stylesheets and scripts as browsers load them: a copy below STATIC_ROOT, which has to be that of this version of Aegis."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command

IGNORED = ["CVS", ".*", "*~"]
"""What `collectstatic` passes by too."""


def collect_if_stale() -> None:
    """Bring the copy up to date: a page whose file is missing there is an error. Raises OSError where it cannot be written.

    Files are compared by what is in them, as those of a release may be older than the copies of the one before:
    `collectstatic` alone would keep those.
    """
    if not hasattr(staticfiles_storage, "load_manifest"):
        return
    manifest, _ = staticfiles_storage.load_manifest()
    originals = _originals()
    stale = [name for name, original in originals.items() if name not in manifest or not _is_same(name, original)]
    for name in stale:
        _copy_of(name).unlink(missing_ok=True)
    if stale:
        call_command("collectstatic", interactive=False, verbosity=0)


def _originals() -> dict[str, Path]:
    """The files of this version by name; of two with one name the first counts, as for `collectstatic`."""
    found: dict[str, Path] = {}
    for finder in get_finders():
        for path, storage in finder.list(IGNORED):
            name = "/".join(filter(None, [getattr(storage, "prefix", None), path]))
            found.setdefault(name, Path(storage.path(path)))
    return found


def _is_same(name: str, original: Path) -> bool:
    copy = _copy_of(name)
    return copy.is_file() and copy.read_bytes() == original.read_bytes()


def _copy_of(name: str) -> Path:
    return Path(settings.STATIC_ROOT) / name
