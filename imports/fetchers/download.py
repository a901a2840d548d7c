"""One HTTPS or mirror address into a temporary file: pinned, bounded, retried, redirects followed by hand."""

from __future__ import annotations

import http.client
import random
import re
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import BinaryIO

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from imports.fetchers.addresses import Endpoint, Route, redirected
from imports.fetchers.limits import CHUNK, FetchError, Limits, Missing, size_text

Progress = Callable[[str, int, int | None], None]
_REDIRECTS = (301, 302, 303, 307, 308)
_VALIDATOR = re.compile(r"[\x20-\x7e]{1,256}")


class _Passing(Exception):
    """A failure that may be gone at the next attempt. `wait` is what the server asked for, in seconds."""

    def __init__(self, message: str, wait: float | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.wait, self.status = wait, status


@dataclass(frozen=True)
class Download:
    """The bytes as they came, from the start, the validator to ask with next time ("" when there is none), and what the
    server calls their kind, in lower case without parameters."""

    raw: BinaryIO
    validator: str
    media_type: str = ""


def tls_context() -> ssl.SSLContext:
    """Verified TLS 1.2 or newer; trusts certifi's authorities and the system's (SSL_CERT_FILE adds a company's own)."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@dataclass(frozen=True)
class Downloader:
    """Fetches addresses by one route. Uses no proxy or login from the environment, keeps no cookies."""

    route: Route
    limits: Limits
    progress: Progress
    agent: str
    tls: ssl.SSLContext

    def get(self, url: str, validator: str = "", accept: str = "*/*") -> Download | None:
        """The bytes behind a URL, or None when they are still what `validator` stands for. The caller closes the file.

        Raises Missing (404, 410) and FetchError. Connection errors, cut or slow bodies, 429 and 5xx are tried again.
        """
        file = tempfile.TemporaryFile()  # noqa: SIM115  # handed to the caller
        try:
            answer = self._patiently(url, {"Accept": accept} | _condition(validator), file)
        except BaseException:
            file.close()
            raise
        if answer is None:
            file.close()
            return None
        file.seek(0)
        return answer

    def _patiently(self, url: str, asked: Mapping[str, str], file: BinaryIO) -> Download | None:
        deadline = time.monotonic() + self.limits.total
        attempt = 0
        while True:
            try:
                return self._attempt(url, asked, file, attempt, deadline)
            except _Passing as trouble:
                attempt += 1
                pause = self._pause(attempt, trouble.wait)
                if attempt > self.limits.retries or time.monotonic() + pause > deadline:
                    raise FetchError(
                        f"{url}: {trouble} (tried {attempt} times). Try again later, or use a mirror.", trouble.status
                    ) from trouble
                time.sleep(pause)

    def _pause(self, attempt: int, asked: float | None) -> float:
        if asked is not None:
            return min(asked, self.limits.retry_after)
        return self.limits.backoff * 2.0 ** (attempt - 1) * random.uniform(0.5, 1)  # noqa: S311  # spreads load, no secret

    def _attempt(
        self, url: str, asked: Mapping[str, str], file: BinaryIO, attempt: int, deadline: float
    ) -> Download | None:
        hop = url
        for _ in range(self.limits.redirects + 1):
            with (
                _network_errors(hop, deadline, self.limits),
                self._request(hop, asked, attempt, deadline) as response,
            ):
                location = response.headers.get("Location", "") if response.status in _REDIRECTS else ""
                if not location:
                    return self._accept(hop, asked, response, file)
            hop = redirected(hop, location)
        raise FetchError(
            f"{url} sends on more than {self.limits.redirects} times, the last time to {hop}. Not followed."
        )

    @contextmanager
    def _request(self, url: str, asked: Mapping[str, str], attempt: int, deadline: float) -> Iterator[BaseHTTPResponse]:
        endpoint = self.route(url)
        connection = self._connection(endpoint, attempt)
        cut = threading.Timer(max(0.0, deadline - time.monotonic()), _cut, [connection])
        cut.daemon = True
        cut.start()
        try:
            connection.connect()
            connection.timeout = self.limits.read
            headers = self._headers(endpoint, asked)
            connection.request("GET", endpoint.target, headers=headers, preload_content=False, decode_content=False)
            yield connection.getresponse()
        finally:
            cut.cancel()
            connection.close()

    def _connection(self, endpoint: Endpoint, attempt: int) -> HTTPConnection:
        address = endpoint.addresses[attempt % len(endpoint.addresses)]
        if endpoint.scheme == "http":
            return HTTPConnection(address, endpoint.port, timeout=self.limits.connect)
        name = endpoint.host.strip("[]")
        return HTTPSConnection(
            address, endpoint.port, timeout=self.limits.connect, ssl_context=self.tls, server_hostname=name
        )

    def _headers(self, endpoint: Endpoint, asked: Mapping[str, str]) -> dict[str, str]:
        standard = {"http": 80, "https": 443}[endpoint.scheme]
        host = endpoint.host if endpoint.port == standard else f"{endpoint.host}:{endpoint.port}"
        return {"Host": host, "User-Agent": self.agent, "Accept-Encoding": "identity", **asked}

    def _accept(
        self, url: str, asked: Mapping[str, str], response: BaseHTTPResponse, file: BinaryIO
    ) -> Download | None:
        status = response.status
        if status == 304 and len(asked) > 1:
            return None
        if status in (404, 410):
            raise Missing(
                f"{url} does not exist (status {status}). If upstream moved it, Aegis has to learn the new place."
            )
        if status == 429 or status >= 500 or (status == 403 and "Retry-After" in response.headers):
            wait = _retry_after(response.headers.get("Retry-After", ""))
            raise _Passing(f"the server answered {status}", wait, status)
        if status != 200:
            raise FetchError(
                f"{url}: the server answered {status} instead of the file. Open the address in a browser for the reason.",
                status,
            )
        self._receive(url, response, file)
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Download(file, _validator(response), media_type)

    def _receive(self, url: str, response: BaseHTTPResponse, file: BinaryIO) -> None:
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise FetchError(f"{url} came packed as `{encoding[:40]}`, which was not asked for. Not read.")
        length = response.headers.get("Content-Length", "")
        expected = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None
        self._bound(url, expected or 0)
        file.seek(0)
        file.truncate()
        done, start = 0, time.monotonic()
        while chunk := response.read1(CHUNK, decode_content=False):
            done += len(chunk)
            self._bound(url, done)
            self._require_pace(done, time.monotonic() - start)
            _keep(file, chunk)
            self.progress(url, done, expected)
        if expected is not None and done != expected:
            raise _Passing(f"cut short: {done:,} of {expected:,} bytes came")

    def _require_pace(self, done: int, seconds: float) -> None:
        if seconds > self.limits.read and done < self.limits.slowest * seconds:
            raise _Passing(f"too slow: {done:,} bytes in {seconds:.0f} seconds")

    def _bound(self, url: str, size: int) -> None:
        if size > self.limits.download:
            raise FetchError(f"{url} is larger than {size_text(self.limits.download)}: not read further.")


def _keep(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise FetchError(
            f"No room for the download in {tempfile.gettempdir()} ({error.strerror}). Free some or set TMPDIR."
        ) from error


def _cut(connection: HTTPConnection) -> None:
    """Ends a connection whose time is up, whatever it waits for; the plain socket's own method, since TLS would wait."""
    try:
        if connection.sock is not None:
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)
    except OSError:
        return


@contextmanager
def _network_errors(url: str, deadline: float, limits: Limits) -> Iterator[None]:
    """What goes wrong between here and the server, as FetchError (final) or _Passing (worth another attempt)."""
    try:
        yield
        _in_time(url, deadline, limits)
    except (HTTPError, http.client.HTTPException, OSError) as error:
        _in_time(url, deadline, limits)
        if isinstance(error, ssl.SSLCertVerificationError):
            raise FetchError(
                f"{url}: the server's certificate is not trusted ({error}). Is a proxy in between? Set SSL_CERT_FILE to its"
                " authority, or use a mirror."
            ) from error
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME:
            raise FetchError(
                f"{url}: no such host ({error.strerror}). Check the network, or use a mirror (AEGIS_MIRROR)."
            ) from error
        raise _Passing(_reason(error)) from error


def _in_time(url: str, deadline: float, limits: Limits) -> None:
    if time.monotonic() >= deadline:
        raise FetchError(f"{url} took longer than {limits.total:g} seconds. Try again later, or use a mirror.")


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"no connection ({error.strerror})"
    text = re.sub(r"<[^>]*>|\([^()]*object at[^()]*\)", "", str(error)).strip(" :")
    return f"the connection broke ({text or type(error).__name__})"


def _retry_after(text: str) -> float | None:
    """Seconds to wait, from a number of seconds or a date (RFC 9110, 10.2.3); None when the server did not say."""
    if text.isascii() and text.isdigit():
        return float(text[:15])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError, TypeError):
        return None


def _condition(validator: str) -> dict[str, str]:
    """The header that asks for the bytes only if they changed, none without a validator."""
    name = "If-None-Match" if validator.startswith(('"', 'W/"')) else "If-Modified-Since"
    return {name: validator} if validator else {}


def _validator(response: BaseHTTPResponse) -> str:
    text = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    return text if _VALIDATOR.fullmatch(text) else ""
