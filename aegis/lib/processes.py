"""Several programs as one: started together, their lines marked with their names, and gone together."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

PATIENCE = 10.0
"""Seconds that a program has to end after it was asked to."""


class Group:
    """Programs by name, each in a session of its own: Ctrl+C reaches this process alone, which then asks them to end."""

    def __init__(self, programs: Mapping[str, Sequence[str]], *, folder: Path, say: Callable[[str], None]) -> None:
        self._programs = programs
        self._folder = folder
        self._say = say
        self._width = max(map(len, programs))
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._threads: list[threading.Thread] = []
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()

    def run(self) -> int:
        """Start all, and wait until one ends or this process is told to: then all end. 0 if it was told to, else 1."""
        before = {number: signal.signal(number, self._told) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for name, command in self._programs.items():
                self._start(name, command)
            return self._wait()
        finally:
            self._stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self, name: str, command: Sequence[str]) -> None:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        program = subprocess.Popen(  # noqa: S603 (our own programs, no shell)
            list(command),
            cwd=self._folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._running[name] = program
        thread = threading.Thread(target=self._follow, args=(name, program), daemon=True)
        thread.start()
        self._threads.append(thread)

    def _follow(self, name: str, program: subprocess.Popen[str]) -> None:
        assert program.stdout is not None, "it was asked for"  # noqa: S101
        with program.stdout as lines:
            for line in lines:
                self._say(f"{name:<{self._width}} | {line.rstrip()}")
        program.wait()
        self._ended.put(name)

    def _told(self, number: int, frame: FrameType | None) -> None:
        self._ended.put("")

    def _wait(self) -> int:
        name = self._ended.get()
        if not name:
            self._say("Stopping ...")
            return 0
        self._say(f"{name} ended with status {self._running[name].returncode}: stopping the others.")
        return 1

    def _stop(self) -> None:
        for program in self._running.values():
            _send(program, signal.SIGTERM)
        for name, program in self._running.items():
            try:
                program.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._say(f"{name} is still busy after {PATIENCE:g} seconds: it is ended.")
        for program in self._running.values():
            _send(program, signal.SIGKILL)
            program.wait()
        for thread in self._threads:
            thread.join(PATIENCE)


def _send(program: subprocess.Popen[str], number: signal.Signals) -> None:
    """To the program; SIGKILL to all that it has started as well."""
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            os.killpg(program.pid, number)
        else:
            program.send_signal(number)
