"""How the public network is reached: TLS to a pinned address, redirects and names that lead elsewhere."""

import http.client
import socket
import ssl
from dataclasses import replace

import pytest

from imports.fetchers import LIMITS, FetchError, fetch_by
from imports.fetchers.addresses import Endpoint, public_route
from imports.fetchers.download import Downloader, tls_context
from imports.fetchers.tests.conftest import ok, status
from imports.fetchers.tests.worlds import WANTED, rules, source
from imports.fetchers.ways import Network

HURRIED = replace(LIMITS, backoff=0.001, retry_after=0.05, connect=2, read=2, total=10)


def silent(url: str, done: int, total: int | None) -> None:
    """Nobody watches."""


URL = source().fetch[0].url
TARGET = "/acme/rules/tar.gz/refs/heads/main"


def pinned(server, *, host: str = "codeload.github.com"):
    """A route that passes every address and connects to the server on this machine."""
    return lambda url: Endpoint("https", host, server.port, "/" + url.split("/", 3)[3], ("127.0.0.1",))


def trusting(authority) -> ssl.SSLContext:
    context = tls_context()
    context.load_verify_locations(cafile=authority)
    return context


def test_pinned_connection_uses_the_name_for_tls_and_host(tls_server, authority):
    tls_server.answers[TARGET] = [ok(rules())]
    way = Network(URL, Downloader(pinned(tls_server), HURRIED, silent, "Aegis", trusting(authority)))
    snapshot = fetch_by(way, source(), validators={}, limits=HURRIED)
    assert {file.path: file.data for file in snapshot.files()} == WANTED
    assert snapshot.origin == URL
    assert tls_server.asked[0][1]["Host"] == f"codeload.github.com:{tls_server.port}"


def test_certificate_of_another_name_is_refused(tls_server, authority):
    tls_server.answers[TARGET] = [ok(rules())]
    loader = Downloader(pinned(tls_server, host="d3fend.mitre.org"), HURRIED, silent, "Aegis", trusting(authority))
    with pytest.raises(FetchError, match="certificate is not trusted"):
        loader.get(URL)
    assert tls_server.asked == []


def test_certificate_of_an_unknown_authority_is_refused_at_once(tls_server):
    loader = Downloader(pinned(tls_server), HURRIED, silent, "Aegis", tls_context())
    with pytest.raises(FetchError, match=r"certificate is not trusted.*SSL_CERT_FILE"):
        loader.get(URL)
    assert tls_server.asked == []


@pytest.mark.parametrize(
    "location",
    [
        "http://codeload.github.com/x",
        "https://127.0.0.1/x",
        "https://evil.test/x",
        "https://codeload.github.com:8443/x",
        "//u@d3fend.mitre.org/",
    ],
)
def test_redirect_to_what_is_not_allowed_is_not_followed(tls_server, authority, location):
    tls_server.answers[TARGET] = [status(302, Location=location)]
    checked = public_route((), lambda host: ["140.82.112.9"])
    to_server = pinned(tls_server)

    def route(url: str) -> Endpoint:
        checked(url)
        return to_server(url)

    with pytest.raises(FetchError, match="Refused to fetch"):
        Downloader(route, HURRIED, silent, "Aegis", trusting(authority)).get(URL)
    assert tls_server.paths() == [TARGET]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.1", "169.254.169.254"])
def test_nothing_connects_when_a_public_name_leads_inside(address, monkeypatch):
    def connect(*args: object, **kwargs: object) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(http.client.HTTPConnection, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect", connect)
    route = public_route((), lambda host: ["140.82.112.9", address])
    with pytest.raises(FetchError, match="not on the public internet"):
        Downloader(route, HURRIED, silent, "Aegis", tls_context()).get(URL)


def test_name_that_does_not_exist_is_final_and_a_slow_name_server_is_not():
    asked = []

    def lookup(number: int):
        def _lookup(host: str) -> list[str]:
            asked.append(host)
            raise socket.gaierror(number, "made up")

        return _lookup

    with pytest.raises(FetchError, match="no such host"):
        Downloader(public_route((), lookup(socket.EAI_NONAME)), HURRIED, silent, "Aegis", tls_context()).get(URL)
    assert len(asked) == 1
    with pytest.raises(FetchError, match="tried 5 times"):
        Downloader(public_route((), lookup(socket.EAI_AGAIN)), HURRIED, silent, "Aegis", tls_context()).get(URL)
    assert len(asked) == 6
