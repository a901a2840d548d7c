"""Hostile addresses of every kind: nobody who listens on this machine hears anything of it, and no name is looked up."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from imports.fetchers import LIMITS, FetchError
from imports.fetchers.addresses import Endpoint, public_route
from imports.fetchers.download import Downloader, tls_context
from imports.fetchers.tests.conftest import Server, status
from imports.fetchers.tests.test_addresses import HOSTS, SCHEMES, TAILS

HURRIED = replace(LIMITS, backoff=0.001, connect=2, read=2, total=10, retries=1)
PORTS = (22, 25, 80, 443, 5432, 6379, 8000, 9000)
PUBLIC = "140.82.112.9"
GOOD = "https://codeload.github.com/acme/rules/tar.gz/refs/heads/main"


class Canary:
    """Listens on 127.0.0.1 and ::1, and counts who connects."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.ports: list[int] = []


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    bird = Canary()
    with ExitStack() as open_sockets:
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            listener = open_sockets.enter_context(socket.socket(family))
            try:
                listener.bind((address, 0))
            except OSError:
                continue  # no IPv6 here
            listener.listen()
            listener.settimeout(0.05)
            bird.ports.append(listener.getsockname()[1])
            threading.Thread(target=_listen, args=(listener, bird), daemon=True).start()
        yield bird


def _listen(listener: socket.socket, bird: Canary) -> None:
    while listener.fileno() >= 0:
        try:
            connection, peer = listener.accept()
        except TimeoutError:
            continue
        except OSError:
            return
        bird.heard.append(str(peer))
        connection.close()


def hostile(port: int) -> list[str]:
    """Every kind of address that may not be asked, several with the port of a listener."""
    with_port = [host for host in HOSTS if ":" not in host.strip("[]")]
    return [
        *(f"https://{host}/x" for host in HOSTS),
        *(f"http://{host}:{port}/x" for host in with_port),
        *(f"https://{host}:{port}/x" for host in with_port),
        *(f"https://codeload.github.com{tail}" for tail in TAILS),
        *(f"{scheme}://codeload.github.com/x" for scheme in SCHEMES),
        *(f"{scheme}://127.0.0.1:{port}/x" for scheme in SCHEMES),
        *(f"https://127.0.0.1:{other}/" for other in PORTS),
    ]


def test_the_canary_hears(canary: Canary) -> None:
    before = len(canary.heard)
    socket.create_connection(("127.0.0.1", canary.ports[0]), timeout=2).close()
    for _ in range(100):
        if len(canary.heard) > before:
            break
        threading.Event().wait(0.02)
    assert len(canary.heard) == before + 1


def test_more_than_120_hostile_addresses_are_refused_and_nobody_hears_of_them(canary: Canary) -> None:
    looked_up: list[str] = []
    before = len(canary.heard)

    def lookup(host: str) -> list[str]:
        looked_up.append(host)
        return ["127.0.0.1"]

    addresses = hostile(canary.ports[0])
    assert len(set(addresses)) >= 120
    loader = Downloader(public_route((), lookup), HURRIED, lambda *told: None, "Aegis", tls_context())
    for address in addresses:
        with pytest.raises(FetchError, match="Refused to fetch"):
            loader.get(address)
    assert looked_up == []
    threading.Event().wait(0.2)
    assert len(canary.heard) == before


@pytest.mark.parametrize("second", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254"])
def test_name_that_changes_its_address_between_two_looks_is_never_followed_inside(
    canary: Canary, second: str, monkeypatch
) -> None:
    """Whatever the name server says later, the address that was checked is the one that is connected to."""
    connected: list[str] = []
    before = len(canary.heard)
    answers = iter([[PUBLIC], *([[second]] * 20)])

    def create(address: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr("urllib3.util.connection.create_connection", create)
    loader = Downloader(
        public_route((), lambda host: next(answers)), HURRIED, lambda *told: None, "Aegis", tls_context()
    )
    with pytest.raises(FetchError, match=r"not on the public internet"):
        loader.get(GOOD)
    assert connected == [PUBLIC]
    assert len(canary.heard) == before


def pinned(server: Server):
    """A route that checks every address as for the public network, and connects to the server on this machine."""
    checked = public_route((), lambda host: [PUBLIC])

    def route(url: str) -> Endpoint:
        endpoint = checked(url)
        return Endpoint("http", endpoint.host, server.port, endpoint.target, ("127.0.0.1",))

    return route


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_to_hostile_addresses_are_not_followed(server: Server, canary: Canary, code: int) -> None:
    before = len(canary.heard)
    loader = Downloader(pinned(server), HURRIED, lambda *told: None, "Aegis", tls_context())
    # What begins with a colon is a path of the same host there.
    targets = [each for each in hostile(canary.ports[0]) if each.isascii() and each.isprintable() and each[0] != ":"]
    targets = [each for each in targets if len(each) < 4_000]
    assert len(set(targets)) >= 120
    for target in targets:
        server.answers["/x"] = [status(code, Location=target)]
        with pytest.raises(FetchError, match=r"[Rr]efused|sends on"):
            loader.get("https://codeload.github.com/x")
    assert set(server.paths()) == {"/x"}
    assert len(canary.heard) == before


def test_chain_of_twenty_redirects_ends_after_three(server: Server) -> None:
    server.answers |= {f"/{n}": [status(302, Location=f"https://d3fend.mitre.org/{n + 1}")] for n in range(20)}
    loader = Downloader(pinned(server), HURRIED, lambda *told: None, "Aegis", tls_context())
    with pytest.raises(FetchError, match="sends on more than 3 times"):
        loader.get("https://codeload.github.com/0")
    assert server.paths() == ["/0", "/1", "/2", "/3"]
