"""Where a request comes from, as far as that can be known: what a client claims about itself is not believed."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address


def client_address(request: HttpRequest) -> str | None:
    """The client's address; None where the server knows none (a socket in the file system, a request made in a test).

    Behind `NUM_PROXIES` proxies of ours it is the entry of X-Forwarded-For that the outermost of them wrote: the last but
    so many. Entries before it, and the whole header where there is no proxy, can be made up by anybody.
    """
    hops = request.headers.get("X-Forwarded-For", "").split(",") if settings.NUM_PROXIES else []
    claimed = _parsed(hops[-min(settings.NUM_PROXIES, len(hops))]) if hops else None
    found = claimed or _parsed(request.META.get("REMOTE_ADDR", ""))
    return str(found) if found else None


def client_network(request: HttpRequest) -> str | None:
    """What to count a client by: its IPv4 address, or the /64 of its IPv6 address, of which a single client has all."""
    address = client_address(request)
    if address is None or ":" not in address:
        return address
    return str(ip_network((address, 64), strict=False).network_address)


def _parsed(text: str) -> Address | None:
    """An address as proxies write it: with brackets, port or zone, or not; an IPv4 address inside an IPv6 one as itself."""
    bare = text.strip().partition("]")[0].removeprefix("[").partition("%")[0]
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
