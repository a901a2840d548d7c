"""Addresses of articles: which may become a link, and what two addresses of one article have in common."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

LONGEST: Final = 1000
_TRACKING: Final = re.compile(
    r"(utm_|mc_|pk_|at_|ga_|hsa_|wt\.|_hs|fbclid|gclid|gclsrc|dclid|yclid|msclkid|twclid|igshid|mkt_tok|oly_|ncid|cmpid|s_cid|spm=|ref_src=|source=rss)",
    re.IGNORECASE,
)
_HOST: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
_KEPT: Final = "/~:@!$&'()*+,;=-._%"
_PORTS: Final = {"http": {None, 80}, "https": {None, 443}}


class Link(NamedTuple):
    """`url` is what a reader opens; `key` is the same for every spelling of it, whatever was hung on to count readers."""

    url: str
    key: str


def link(address: str, base: str = "") -> Link | None:
    """The link that an address makes, relative to `base`; None for everything that is no public web address.

    That is: http or https, the usual port, a host by name, no user name in front of it.
    """
    cleaned = "".join(char for char in address.strip() if char.isprintable() and not char.isspace())
    if not cleaned or len(cleaned) > LONGEST or cleaned != address.strip() or "\\" in cleaned:
        return None
    try:
        parts = urlsplit(urljoin(base, cleaned) if base else cleaned)
        host, port = (parts.hostname or "").rstrip(".").encode("idna").decode().lower(), parts.port
    except (ValueError, UnicodeError):
        return None
    if (
        parts.scheme not in _PORTS
        or port not in _PORTS[parts.scheme]
        or "@" in parts.netloc
        or not _HOST.fullmatch(host)
    ):
        return None
    path = quote(parts.path, safe=_KEPT)
    asked = [pair for pair in quote(parts.query, safe=_KEPT + "?").split("&") if pair and not _TRACKING.match(pair)]
    url = f"{parts.scheme}://{host}{path or '/'}{_query(asked)}"
    return Link(url, f"{host}{path.rstrip('/')}{_query(sorted(asked))}") if len(url) <= LONGEST else None


def _query(pairs: list[str]) -> str:
    return f"?{'&'.join(pairs)}" if pairs else ""
