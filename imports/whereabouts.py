"""At which file a process is: a note on the disk that outlives it, as a crash within a parser leaves no other trace."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from imports.models import ImportRun
from imports.upstream import SourceFile

LONGEST: Final = 512
"""Bytes of a path, as many as an archive may have."""


class Whereabouts:
    """`path` is the file of the run that is being read, empty before the first and after the last."""

    def __init__(self, run: ImportRun) -> None:
        self._run = run
        self.path = ""

    @property
    def words(self) -> str:
        """Where it is, to end a sentence with; nothing if it is not reading."""
        return f" while reading {self.path}" if self.path else ""

    def follow(self, files: Iterable[SourceFile]) -> Iterator[SourceFile]:
        """The files, each noted before it is handed out. Where no note can be written none is."""
        place = _note(self._run)
        try:
            note = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError:
            note = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            for file in files:
                self.path = file.path
                os.write(note, f"{file.path[:LONGEST]}\n".encode(errors="replace"))
                os.lseek(note, 0, os.SEEK_SET)
                yield file
        finally:
            os.close(note)
            _remove(place)
        self.path = ""


def left_by(run: ImportRun) -> str:
    """The file at which the process of a run died on this machine, empty if it was not reading. The note is taken away."""
    note = _note(run)
    try:
        descriptor = os.open(note, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        path = file.readline(4 * LONGEST).decode(errors="replace").strip()
    _remove(note)
    return path


def _remove(note: Path) -> None:
    with suppress(OSError):
        note.unlink()


def _note(run: ImportRun) -> Path:
    return Path(tempfile.gettempdir()) / f"aegis-run-{run.pk}-{run.worker.replace('/', '-')}"
