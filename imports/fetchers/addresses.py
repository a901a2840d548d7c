"""Which addresses may be asked: the form of a URL, the hosts, and the network addresses that a host leads to.

A URL is read once, by one strict pattern; what is connected to and sent comes from that reading alone. The list of
public networks follows the IANA special-purpose registries (RFC 6890) more strictly than `ipaddress.is_global`.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urljoin

from imports.fetchers.limits import FetchError

PUBLIC_HOSTS = frozenset(
    {
        "api.github.com",
        "attack-taxii.mitre.org",
        "codeload.github.com",
        "d3fend.mitre.org",
        "objects.githubusercontent.com",
        "raw.githubusercontent.com",
    }
)
_LONGEST = 8_192
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?", re.ASCII | re.IGNORECASE)
_TARGET = r"(?:/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?(?:\?[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*)?"
_PUBLIC_URL = re.compile(rf"https://(?P<host>[A-Za-z0-9.-]+)(?::443)?(?P<target>{_TARGET})", re.ASCII)
_MIRROR_URL = re.compile(
    rf"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?(?P<target>{_TARGET})",
    re.ASCII,
)
_V6_GLOBAL = ipaddress.IPv6Network("2000::/3")
_V6_SPECIAL = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_V4_SPECIAL = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10")))

Resolve = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where one request goes: TLS or not, the host's name, the port, path and query, and the addresses to connect to."""

    scheme: str
    host: str
    port: int
    target: str
    addresses: tuple[str, ...]


Route = Callable[[str], Endpoint]


def resolve(host: str) -> list[str]:
    """The addresses of a host, in the order the system prefers. Raises OSError."""
    found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Whether an address belongs to a host on the public internet: no private, shared, translated or special network."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        special = any(parsed in network for network in _V6_SPECIAL)
        return parsed in _V6_GLOBAL and parsed.scope_id is None and not special
    special = any(parsed in network for network in _V4_SPECIAL)
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved and not special


def public_route(extra_hosts: Collection[str] = (), resolve: Resolve = resolve) -> Route:
    """The way to public hosts: https on port 443, allowed names only, every address of the name public."""
    allowed = PUBLIC_HOSTS | {host.strip().lower() for host in extra_hosts}

    def route(url: str) -> Endpoint:
        host, target = public_url(url, allowed)
        return Endpoint("https", host, 443, target, _public_addresses(host, resolve))

    return route


def public_url(url: str, allowed: Collection[str]) -> tuple[str, str]:
    """Host and request target of an allowed URL. Raises FetchError that says which rule it breaks."""
    match = _PUBLIC_URL.fullmatch(url) if len(url) <= _LONGEST else None
    if match is None or not _NAME.fullmatch(match["host"]):
        raise FetchError(
            f"Refused to fetch {_brief(url)}: only plain https addresses of named hosts on port 443 are fetched, without user"
            " name, fragment, backslash or characters outside ASCII."
        )
    host = match["host"].lower()
    if host not in allowed:
        raise FetchError(
            f"Refused to fetch {_brief(url)}: {host} is not among the hosts that Aegis fetches from. If it is right, add it to"
            " AEGIS_EXTRA_HOSTS."
        )
    return host, _target(match["target"])


def _public_addresses(host: str, resolve: Resolve) -> tuple[str, ...]:
    addresses = tuple(resolve(host))
    refused = next((address for address in addresses if not is_public(address)), "")
    if refused or not addresses:
        raise FetchError(
            f"Refused to fetch from {host}: it leads to {refused or 'no address'}, which is not on the public internet."
            " Check the name server, or use a mirror (AEGIS_MIRROR)."
        )
    return addresses


def is_mirror_url(mirror: str) -> bool:
    """Whether a mirror is an address; otherwise it is a folder."""
    return "://" in mirror


def mirror_route(mirror: str) -> Route:
    """The way to the mirror an administrator configured: any host and port of theirs, and no other."""
    home = _mirror_endpoint(mirror)

    def route(url: str) -> Endpoint:
        try:
            endpoint = _mirror_endpoint(url)
        except FetchError as error:
            raise FetchError(f"The mirror {mirror} sends on to {_brief(url)}, which is not fetched.") from error
        if (endpoint.scheme, endpoint.host, endpoint.port) != (home.scheme, home.host, home.port):
            raise FetchError(
                f"The mirror {mirror} sends on to {_brief(url)}, another host. Give that address as the mirror if it is right."
            )
        return endpoint

    return route


def _mirror_endpoint(url: str) -> Endpoint:
    match = _MIRROR_URL.fullmatch(url) if len(url) <= _LONGEST else None
    if match is None or int(match["port"] or 0) > 65_535:
        raise FetchError(
            f"The mirror address {_brief(url)} cannot be used: write it as http://host:port/path or https://host/path, without"
            " user name, fragment or spaces."
        )
    host = match["host"].lower()
    port = int(match["port"] or (443 if match["scheme"] == "https" else 80))
    return Endpoint(match["scheme"], host, port, _target(match["target"]), (host.strip("[]"),))


def redirected(url: str, location: str) -> str:
    """The absolute address that a redirect leads to; it still has to pass the route."""
    if not location.isascii() or not location.isprintable():
        raise FetchError(f"{url} sends on to an address that is not plain text. Refused.")
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise FetchError(f"{url} sends on to {_brief(location)}, which is not an address. Refused.") from error


def _target(target: str) -> str:
    return target if target.startswith("/") else f"/{target}"


def _brief(url: str) -> str:
    """The address for a message: without user name and password, escaped, cut."""
    without_login = re.sub(r"(?<=//)[^/?#]*@", "…@", url[:200])
    return "".join(char if char.isprintable() else "?" for char in without_login)
