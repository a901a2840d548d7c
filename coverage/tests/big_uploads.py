"""A real server in a process of its own, whose memory can be read, and uploads too large to hold."""

import http.client
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection

MB: Final = 1024 * 1024
PIECE: Final = bytes(MB)
BOUNDARY: Final = "boundary-of-the-tests"


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody uploads: where to, as whom, and what stands beside the file."""

    path: str
    headers: Mapping[str, str]
    field: str
    fields: Mapping[str, str]

    def around(self) -> tuple[bytes, bytes]:
        """What stands before and after the bytes of the file in the multipart body."""
        start = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
        fields = "".join(f'{start}"{name}"\r\n\r\n{value}\r\n' for name, value in self.fields.items())
        file = f'{start}"{self.field}"; filename="disk.img"\r\n\r\n'
        return (fields + file).encode(), f"\r\n--{BOUNDARY}--\r\n".encode()

    def announced(self, size: int) -> dict[str, str]:
        """The headers of an upload of `size` bytes."""
        length = size + sum(map(len, self.around()))
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return {"Content-Type": kind, "Content-Length": str(length), **self.headers}


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn with one worker on a copy of the database."""

    port: int
    worker: int
    folder: Path

    def memory(self, name: str) -> int:
        """Bytes: `VmRSS` is what the worker holds now, `VmHWM` the most that it ever held."""
        lines = Path(f"/proc/{self.worker}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))

    def objects(self) -> list[Path]:
        """The files in the evidence folder."""
        return [path for path in (self.folder / "evidence").rglob("*") if path.is_file()]

    def temporary(self) -> list[Path]:
        """What uploads that are under way have on disk."""
        return list((self.folder / "tmp").glob("*.upload*"))

    def rows(self) -> int:
        """How many rows of evidence the server's database has."""
        with closing(sqlite3.connect(self.folder / "aegis.sqlite3")) as database:
            return int(database.execute("SELECT COUNT(*) FROM coverage_evidence").fetchone()[0])


@contextmanager
def serving(folder: Path, variables: Mapping[str, str] | None = None) -> Iterator[Server]:
    """The site as `make demo` serves it, on a copy of the database as it is now, with its files in `folder`."""
    with closing(sqlite3.connect(folder / "aegis.sqlite3")) as copy:
        connection.ensure_connection()
        connection.connection.backup(copy)
    (folder / "tmp").mkdir()
    port = free_port()
    # A worker that was forked a moment ago can miss being told to end: gunicorn then waits as long as it is graceful.
    options = ["--bind", f"127.0.0.1:{port}", "--threads", "4", "--graceful-timeout", "5"]
    master = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "aegis.wsgi", *options],
        cwd=settings.BASE_DIR,
        env=os.environ | environment(folder) | dict(variables or {}),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Server(port, worker_of(master.pid, port), folder)
    finally:
        master.terminate()
        master.wait(timeout=30)


def environment(folder: Path) -> dict[str, str]:
    """An embedded installation in `folder` that knows the sessions and tokens of the tests."""
    return {
        "AEGIS_DATA_DIR": str(folder),
        "AUDIT_HMAC_KEY": settings.AUDIT_HMAC_KEY,
        "DJANGO_SETTINGS_MODULE": "aegis.settings",
        "EVIDENCE_MAX_MB": "2048",
        "JWT_SIGNING_KEY": settings.JWT_SIGNING_KEY,
        "SECRET_KEY": settings.SECRET_KEY,
        "TMPDIR": str(folder / "tmp"),
    }


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def worker_of(master: int, port: int) -> int:
    """The process id of the worker, once it has answered. Raises TimeoutError."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as client:
                client.request("GET", "/health")
                client.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
            return int(children[0])
    raise TimeoutError("the server does not answer")


def send(server: Server, way: Way, size: int) -> int:
    """The status of an upload of `size` zeros, megabyte by megabyte."""
    head, tail = way.around()
    body = (head, *(PIECE for _ in range(size // MB)), tail)
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)) as client:
        client.request("POST", way.path, iter(body), way.announced(size))
        answer = client.getresponse()
        answer.read()
        return answer.status


def cut(server: Server, way: Way, size: int) -> None:
    """Half of an upload of `size` zeros; then the line goes dead."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as client:
        client.putrequest("POST", way.path)
        for name, value in way.announced(size).items():
            client.putheader(name, value)
        client.endheaders(way.around()[0])
        for _ in range(size // MB // 2):
            client.send(PIECE)
