"""The bytes of an XML feed as one text whose markup is known to be harmless, before any parser sees it.

feedparser would believe whatever encoding a document declares (UTF-7 among them) and hands entities to its parsers. So the text
is decoded here, and what no feed needs is refused: entities of its own, elements nested without end.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from imports.feeds.entries import Unreadable

MOST_ENTRIES: Final = 1_000
DEEPEST: Final = 200

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENCODINGS: Final = re.compile(
    r"utf-?8|utf-?16(le|be)?|us-ascii|ascii|iso-8859-\d{1,2}|latin-?1|windows-125\d|cp125\d|koi8-[ru]|shift[_-]jis|euc-(jp|kr)"
    r"|gb2312|gbk|gb18030|big5",
    re.IGNORECASE,
)
_DECLARATION: Final = re.compile(
    rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["'][^>]{0,200}\?>"""
)
_PROLOG: Final = re.compile(r"^\s*<\?xml[^>]{0,400}\?>")
_ROOT: Final = re.compile(r"<(?:[A-Za-z0-9]+:)?(rss|feed|RDF|channel)[\s>]")
_ENTITY: Final = re.compile(r"<!ENTITY", re.IGNORECASE)
_DOCTYPE: Final = re.compile(r"<!DOCTYPE[^>\[]{0,1000}(\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_OPAQUE: Final = re.compile(r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>", re.DOTALL)
_TAG: Final = re.compile(r"<(/?)[A-Za-z_](?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*?(/?)>")
_ENTRY: Final = re.compile(r"<(?:[A-Za-z0-9]+:)?(?:item|entry)[\s>]")
_ENDS: Final = {"rss": "</channel></rss>", "feed": "</feed>", "RDF": "</rdf:RDF>", "channel": "</channel>"}


def harmless_xml(data: bytes) -> tuple[str, int]:
    """The document without declaration and DOCTYPE, cut after `MOST_ENTRIES` entries, and how many entries it has in all.

    Raises Unreadable for what is no feed, or one that no honest publisher sends.
    """
    text = _PROLOG.sub("", _decoded(data), count=1)
    root = _ROOT.search(text[:8_000])
    if root is None:
        raise Unreadable(_what_instead(text))
    if _ENTITY.search(text):
        raise Unreadable("it declares XML entities, which no feed needs and bombs are made of: not read")
    text = _DOCTYPE.sub("", text, count=1)
    if _depth(text) > DEEPEST:
        raise Unreadable(f"its elements are nested more than {DEEPEST} deep: not read")
    starts = [match.start() for match in _ENTRY.finditer(text)]
    if len(starts) > MOST_ENTRIES:
        text = text[: starts[MOST_ENTRIES]] + _ENDS[root[1]]
    return text, len(starts)


def _decoded(data: bytes) -> str:
    """The text, by byte order mark, then declaration, then UTF-8; what cannot be decoded is shown as such."""
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data.decode(name, "replace").removeprefix("\ufeff")
    declared = _DECLARATION.match(data[:1_000])
    name = declared[1].decode("ascii") if declared else "utf-8"
    if not _ENCODINGS.fullmatch(name):
        raise Unreadable(f"it says that it is written in `{name}`, an encoding that feeds do not use: not read")
    if name.lower().startswith("utf"):
        return _utf8(data)  # whatever its declaration says: that could be read byte by byte
    if _is_utf8(data):
        name = "utf-8"
    return data.decode("cp1252" if name.lower() in {"iso-8859-1", "latin1", "latin-1"} else name, "replace")


def _utf8(data: bytes) -> str:
    """The text of what is said to be UTF-8: of Windows-1252, if more of it is none than is."""
    text = data.decode("utf-8", "replace")
    if not (wrong := text.count("\ufffd")):
        return text
    right = sum(not char.isascii() for char in text) - wrong
    return data.decode("cp1252", "replace") if wrong > right else text


def _is_utf8(data: bytes) -> bool:
    """Whether it is UTF-8 all the same: publishers get the declaration wrong more often than the bytes."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not data.isascii()


def _depth(text: str) -> int:
    depth = deepest = 0
    for tag in _TAG.finditer(_OPAQUE.sub("", text)):
        if not tag[2]:
            depth = max(0, depth - 1) if tag[1] else depth + 1
            deepest = max(deepest, depth)
            if deepest > DEEPEST:
                break
    return deepest


def _what_instead(text: str) -> str:
    start = text.lstrip()[:2_000].lower()
    if not start:
        return "it is empty"
    if "<html" in start or "<!doctype html" in start:
        return "it is a web page, not a feed: look in that page for the address of its RSS or Atom feed"
    if start[0] in "{[":
        return "it is JSON, not RSS or Atom: give the address of the RSS or Atom feed"
    return "it is neither RSS nor Atom"
