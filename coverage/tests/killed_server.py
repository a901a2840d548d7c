"""The site as production serves it, whose processes are killed while it answers, and a line to it that may break."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from secrets import token_urlsafe
from typing import Any, Final

from django.conf import settings

from coverage.tests.big_uploads import free_port

METRICS_TOKEN: Final = token_urlsafe(48)
PATIENCE: Final = 60.0
"""Seconds that one answer may take while processes come and go."""


class Broken(Exception):
    """The line broke before there was a whole answer: what became of the request is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Server:
    """A running gunicorn: the process that starts the others, how many, where it listens, and what it has written."""

    master: "subprocess.Popen[bytes]"
    size: int
    port: int
    log: Path

    def workers(self) -> list[int]:
        """The processes that answer, or are about to."""
        pid = self.master.pid
        return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    def kill_one(self, chance: Random) -> bool:
        """End a worker as a full memory or a failing machine would; False if there is none at this moment."""
        standing = self.workers()
        if standing:
            os.kill(chance.choice(standing), signal.SIGKILL)
        return bool(standing)

    def flaws_of_metrics(self) -> Iterator[str]:
        """What is wrong with the metrics, to which every process that was killed has written."""
        with closing(Line(self.port)) as line:
            answer = line.ask("GET", "/health/metrics", None, {"Authorization": f"Bearer {METRICS_TOKEN}"})
        if answer.status != http.HTTPStatus.OK or b"django_http_responses_total_by_status_total" not in answer.body:
            yield f"{answer.status} {answer.body[:500]}"

    def tracebacks(self) -> list[str]:
        """What was logged of faults that nobody foresaw: the end of each line."""
        return [line[-400:] for line in self.log.read_text().splitlines() if "Traceback" in line]

    def is_whole(self) -> bool:
        """Whether the first process still stands, and all its workers."""
        return self.master.poll() is None and len(self.workers()) == self.size


class Line:
    """A connection of one client, made again whenever it broke. It says that it comes through a proxy that ends TLS."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.sent = self.broken = 0

    def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """The answer. Raises Broken."""
        self.sent += 1
        try:
            self._connection.request(method, path, body, {"X-Forwarded-Proto": "https", **headers})
            answer = self._connection.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            self.broken += 1
            raise Broken(str(error)) from error
        is_json = "json" in answer.getheader("Content-Type", "")
        return Answer(answer.status, dict(answer.getheaders()), json.loads(data) if is_json else data)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


@contextmanager
def serving(environment: Mapping[str, str], folder: Path, *, size: int = 3) -> Iterator[Server]:
    """The site with so many workers, in the environment of this process and what is given beside it; its log is in `folder`."""
    (folder / "tmp").mkdir()
    own = {
        "AEGIS_BEHIND_PROXY": "true",
        "AEGIS_METRICS_TOKEN": METRICS_TOKEN,
        "ALLOWED_HOSTS": "127.0.0.1",
        "DJANGO_SETTINGS_MODULE": "aegis.settings",
        "LOG_LEVEL": "WARNING",
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "TMPDIR": str(folder / "tmp"),
        "WEB_WORKERS": str(size),
    }
    port, log = free_port(), folder / "web.log"
    command = [sys.executable, "-m", "gunicorn", "--config", "aegis/gunicorn.py", "aegis.wsgi"]
    with log.open("ab") as lines:
        master = subprocess.Popen(
            [*command, "--bind", f"127.0.0.1:{port}", "--graceful-timeout", "5"],
            cwd=settings.BASE_DIR,
            env={**os.environ, **own, **environment},
            stdout=lines,
            stderr=lines,
        )
        server = Server(master, size, port, log)
        try:
            until_it_answers(server)
            yield server
        finally:
            master.terminate()
            master.wait(timeout=30)


def until_it_answers(server: Server) -> float:
    """Wait for all workers and an answer; the seconds that this took. Raises TimeoutError."""
    begun = time.monotonic()
    with closing(Line(server.port)) as line:
        while time.monotonic() - begun < PATIENCE:
            assert server.master.poll() is None, f"gunicorn ended:\n{server.log.read_text()[-4000:]}"
            if server.is_whole() and _is_ready(line):
                return time.monotonic() - begun
            time.sleep(0.05)
    raise TimeoutError(f"the server does not answer:\n{server.log.read_text()[-4000:]}")


def _is_ready(line: Line) -> bool:
    try:
        return line.ask("GET", "/health/ready", None, {}).status == http.HTTPStatus.OK
    except Broken:
        return False
