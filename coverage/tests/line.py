"""A line to a server on this machine that can be cut, or fall silent, as lines do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Line:
    """Takes connections at `address` and hands them on; `state` is "whole", "silent" (nobody answers) or "cut"."""

    def __init__(self, server: str) -> None:
        there = urlsplit(server)
        self._there = (str(there.hostname), there.port or 80)
        self._door = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.address = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self.state, self.calls = "whole", 0
        threading.Thread(target=self._take, daemon=True).start()

    def become(self, state: str) -> None:
        """Change, and drop what is connected, so that everybody calls anew."""
        self.state, self.calls = state, 0
        self._drop()

    def close(self) -> None:
        """End it."""
        self._door.close()
        self._drop()

    def _drop(self) -> None:
        while self._open:
            one = self._open.pop()
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _take(self) -> None:
        with suppress(OSError):  # the door was closed
            while True:
                caller, _ = self._door.accept()
                self.calls += 1
                self._open.append(caller)
                if self.state == "cut":
                    self._drop()
                elif self.state == "whole":
                    self._connect(caller)

    def _connect(self, caller: socket.socket) -> None:
        server = socket.create_connection(self._there)
        self._open.append(server)
        for source, target in ((caller, server), (server, caller)):
            threading.Thread(target=_pump, args=(source, target), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(64 * 1024):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def line_to(server: str) -> Iterator[Line]:
    """A line that is whole, and ended in the end."""
    line = Line(server)
    try:
        yield line
    finally:
        line.close()
