"""A web server on this machine that answers as a test tells it."""

import gzip
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """`answers[path]` are given in turn, the last one again and again; `asked` are (path, headers) as they came."""

    port: int = 0
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append((request.path, dict(request.headers)))
        waiting = self.answers.get(request.path, [status(404)])
        (waiting.pop(0) if len(waiting) > 1 else waiting[0])(request)


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer with a body; `Content_Length=""` leaves that header out, any other value replaces it."""

    def _answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            if value:
                request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return _answer


def ok(body: bytes, **headers: str) -> Answer:
    return status(200, body, **headers)


def hang_up(request: BaseHTTPRequestHandler) -> None:
    """Closes the connection without a word."""
    request.close_connection = True


def then_hang_up(answer: Answer) -> Answer:
    """Gives the answer and closes the connection, whatever the answer announced."""

    def _answer(request: BaseHTTPRequestHandler) -> None:
        answer(request)
        hang_up(request)

    return _answer


def packed(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


@pytest.fixture
def server() -> Iterator[Server]:
    """A plain HTTP server on a free port of 127.0.0.1."""
    state = Server()
    yield from serving(state)


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Path:
    """A certificate (and its key, in one file) for codeload.github.com that nobody else trusts."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate can be made")
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    name = ["-subj", "/CN=test", "-addext", "subjectAltName=DNS:codeload.github.com"]
    made = ["-keyout", str(file), "-out", f"{file}.crt", "-days", "2", "-nodes", "-newkey", "rsa:2048"]
    subprocess.run([openssl, "req", "-x509", *made, *name], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + Path(f"{file}.crt").read_bytes())
    return file


@pytest.fixture
def tls_server(authority) -> Iterator[Server]:
    """The same behind TLS, with the certificate of `authority`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    yield from serving(Server(), context)


def serving(state: Server, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """The server while it listens."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            state.answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in http.server
            """Tests are silent."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hangs up is what some tests are about."""

    with Quiet(("127.0.0.1", 0), Handler) as listener:
        if tls is not None:
            listener.socket = tls.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
        state.port = listener.server_address[1]
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield state
        listener.shutdown()
        thread.join()
