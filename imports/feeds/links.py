"""Addresses of articles: which may become a link, and what two addresses of one article have in common."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

LONGEST: Final = 1000
_TRACKING: Final = re.compile(
    r"(utm_|mc_|pk_|mtm_|piwik_|at_|ga_|_ga|_gl=|hsa_|wt\.|_hs|fbclid|gclid|gclsrc|gbraid|wbraid|dclid|yclid|msclkid|ttclid|twclid"
    r"|li_fat_id|igsh|mibextid|mkt_tok|oly_|vero_|guccounter|guce_|ncid|cmpid|s_cid|ocid=|smid=|trk=|xtor=|spm=|ref_src="
    r"|(ref|src|source|partner|from)=(rss|feed)\b)",
    re.IGNORECASE,
)
_HOST: Final = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
# The second group is there for a letter, a digit, or one of -._~, which need no escape.
_ESCAPED: Final = re.compile(r"%((2[de]|3\d|[46][1-9a-f]|[57][0-9a]|5f|7e)|[0-9a-f]{2})", re.IGNORECASE)
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
    told = address.strip().replace(" ", "%20")
    cleaned = "".join(char for char in told if char.isprintable() and not char.isspace())
    if not cleaned or len(cleaned) > LONGEST or cleaned != told or "\\" in cleaned:
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
    return Link(url, _one_spelling(f"{host}{path.rstrip('/')}{_query(sorted(asked))}")) if len(url) <= LONGEST else None


def _one_spelling(address: str) -> str:
    """The address with `%7e` as `~` and `%3a` as `%3A`, which mean the same (RFC 3986, 6.2.2)."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[2] else found[0].upper(), address)


def _query(pairs: list[str]) -> str:
    return f"?{'&'.join(pairs)}" if pairs else ""
