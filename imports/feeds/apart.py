"""Reading a feed in a process of its own, which may take so much memory and time and no more.

A hostile feed then costs its own feed, and not the scan: `python -m imports.feeds.apart rss ADDRESS <feed >entries`.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from imports.feeds.entries import Reading, Unreadable
from imports.feeds.nvd import read_nvd
from imports.feeds.reading import read_feed

READERS: Final[Mapping[str, Callable[[bytes, str], Reading]]] = {
    "rss": read_feed,
    "nvd": lambda data, _address: read_nvd(data),
}
MEMORY: Final = 1024 * 1024 * 1024
SECONDS: Final = 20
_REFUSED: Final = 3
_ROOT: Final = Path(__file__).resolve().parents[2]


def read_apart(kind: str, data: bytes, address: str, *, seconds: float = SECONDS) -> Reading:
    """What the reader `kind` makes of the bytes. Raises Unreadable, also where it took too long or broke."""
    command = [sys.executable, "-m", "imports.feeds.apart", kind, address]
    try:
        done = subprocess.run(  # noqa: S603  (this Python, this module; the bytes go in by the pipe, no shell)
            command,
            input=data,
            capture_output=True,
            timeout=seconds,
            cwd=_ROOT,
            env={"PYTHONPATH": str(_ROOT)},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unreadable(f"it could not be read within {seconds:g} seconds: given up") from error
    if done.returncode == _REFUSED:
        raise Unreadable(done.stdout.decode("utf-8", "replace"))
    if done.returncode:
        raise Unreadable("its reader ran out of memory or time, or broke on it: given up")
    return msgspec.json.decode(done.stdout, type=Reading)


def main() -> int:
    """Read standard input, write the entries to standard output. Returns the exit status."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    kind, address = sys.argv[1:3]
    try:
        answer = msgspec.json.encode(READERS[kind](sys.stdin.buffer.read(), address))
    except Unreadable as refused:
        sys.stdout.buffer.write(str(refused).encode())
        return _REFUSED
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
