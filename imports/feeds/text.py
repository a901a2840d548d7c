"""Texts of feeds as plain text: no markup, no control characters, nothing that turns the reading direction round.

Whatever comes out is still only text: pages escape it like any other.
"""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser
from typing import Final

LONGEST_TITLE: Final = 500
LONGEST_SUMMARY: Final = 20_000

_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "figcaption", "figure", "footer", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "td", "th",
    "tr", "ul",
})  # fmt: skip
_INLINE: Final = frozenset({
    "a", "abbr", "acronym", "audio", "b", "bdi", "bdo", "big", "body", "button", "canvas", "caption", "center", "cite",
    "code", "col", "colgroup", "data", "datalist", "del", "details", "dfn", "dialog", "em", "embed", "fieldset", "font",
    "form", "head", "html", "i", "iframe", "img", "input", "ins", "kbd", "label", "legend", "link", "map", "mark",
    "meta", "noscript", "object", "optgroup", "option", "output", "param", "picture", "progress", "q", "rp", "rt",
    "ruby", "s", "samp", "script", "select", "small", "source", "span", "strike", "strong", "style", "sub", "summary",
    "sup", "svg", "tbody", "template", "textarea", "tfoot", "thead", "time", "title", "tt", "u", "var", "video", "wbr",
})  # fmt: skip
_ATTACK: Final = re.compile(
    r"https?://attack\.mitre\.org/(?:versions/v[\d.]{1,5}/)?(techniques/T\d{4}(?:/\d{3})?|(?:groups/G|software/S)\d{4})/?(?:[?#].{0,200})?",
    re.IGNORECASE,
)
_UNSEEN: Final = re.compile(r"<(script|style)\b[^>]{0,2000}>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Joiners, which some scripts and emoji need but no Latin word, and the marks before an Arabic or Syriac number.
_NEEDED: Final = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")
_SPLIT: Final = re.compile(r"(?<=[0-9A-Za-z])[\u200c\u200d]+(?=[0-9A-Za-z])")


class _Text(HTMLParser):
    """Collects the text of HTML. What only looks like a tag ("<redacted>") is text.

    A link to what ATT&CK describes says what is meant, so its address is kept unless the text of the link has the id.
    """

    CDATA_CONTENT_ELEMENTS = ()  # type: ignore[misc]  # typeshed's own word; html.parser only reads it

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._linked: tuple[int, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins on a new line."""
        if tag == "a":
            self.end_link()
            meant = _ATTACK.fullmatch((dict(attrs).get("href") or "").strip())
            self._linked = (len(self.parts), meant[1]) if meant else None
        self._tag(tag, self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        """A block ends with a new line."""
        if tag == "a":
            self.end_link()
        self._tag(tag, f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Text is kept."""
        self.parts.append(data)

    def end_link(self) -> None:
        """Say where a link to ATT&CK leads, if its text does not."""
        start, meant = self._linked or (0, "")
        text = "".join(self.parts[start:]).upper()
        if meant and meant.partition("/")[2].upper().replace("/", ".") not in text.replace("/", "."):
            self.parts.append(f" (attack.mitre.org/{meant})")
        self._linked = None

    def _tag(self, tag: str, source: str) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n")
        elif tag not in _INLINE and ":" not in tag:
            self.parts.append(source)


def plain(html: str) -> str:
    """The text of a piece of HTML; lines where its blocks are."""
    parser = _Text()
    parser.feed(_COMMENT.sub("", _UNSEEN.sub(" ", html)))
    parser.close()
    parser.end_link()
    return "".join(parser.parts)


def one_line(text: str, longest: int = LONGEST_TITLE) -> str:
    """Clean text on one line, cut at `longest` characters."""
    return _cut(" ".join(_clean(text).split()), longest)


def lines(text: str, longest: int = LONGEST_SUMMARY) -> str:
    """Clean text with its line breaks, without empty lines in a row, cut at `longest` characters."""
    kept = (" ".join(line.split()) for line in _clean(text).splitlines())
    return _cut("\n".join(line for line in kept if line), longest)


def _clean(text: str) -> str:
    """NFC, without control characters, lone surrogates, and invisible characters that reorder or split words."""
    composed = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    return _SPLIT.sub("", "".join(char for char in composed if char in "\n\t" or not _is_hidden(char)))


def _is_hidden(char: str) -> bool:
    return not char.isprintable() and char not in _NEEDED and unicodedata.category(char) in _HIDDEN


def _cut(text: str, longest: int) -> str:
    """The text, cut between two words where there are any: half a word may be another."""
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    if not text[longest - 1].isspace():
        whole = cut.rpartition(" ")[0]
        cut = whole if len(whole) > longest // 2 else cut
    return f"{cut.rstrip()}…"
