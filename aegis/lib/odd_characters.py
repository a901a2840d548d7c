"""Characters that make a command read other than it runs: hidden, reordering, or borrowed from another alphabet.

The danger: https://trojansource.codes (CVE-2021-42574). A page shows each such character by its code point, so that what a
reader sees is all there is.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

# Letters of these alphabets pass for Latin ones (a Cyrillic "a", a Greek "o"); alone they are just another language.
LOOKALIKES = ("CYRILLIC ", "GREEK ", "ARMENIAN ", "CHEROKEE ", "FULLWIDTH ", "MATHEMATICAL ")
# Invisible although their category is letter or mark.
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800") | {chr(code) for code in range(0xFE00, 0xFE10)}
HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})
# Everything that may be odd: what is not printable ASCII, line feed or tab. A carriage return before a line feed is a line end.
SUSPECT = re.compile(r"\r(?!\n)|[^\r\n\t\x20-\x7e]")
ASCII_LETTER_BESIDE = re.compile(r"[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Part:
    """A run of text; `odd` is empty, or says what is odd about this one character, which `text` then names ("U+202E")."""

    text: str
    odd: str = ""


def parts(text: str) -> Iterator[Part]:
    """`text` from end to end, ordinary runs and odd characters in turn."""
    start = 0
    for match in SUSPECT.finditer(text):
        if odd := _oddity(text, match.start()):
            if match.start() > start:
                yield Part(text[start : match.start()])
            yield Part(f"U+{ord(match.group()):04X}", odd)
            start = match.end()
    if start < len(text):
        yield Part(text[start:])


def _oddity(text: str, place: int) -> str:
    """What is odd about the character at `place`: its Unicode name with a reason; empty for an ordinary one."""
    character = text[place]
    name = unicodedata.name(character, "control character")
    category = unicodedata.category(character)
    if category in HIDDEN_CATEGORIES or character in BLANKS:
        return f"hidden: {name.lower()}"
    if category == "Zs":
        return f"not a plain space: {name.lower()}"
    if name.startswith(LOOKALIKES) and _stands_among_latin(text, place):
        return f"looks like another letter: {name.lower()}"
    return ""


def _stands_among_latin(text: str, place: int) -> bool:
    """Whether the word around the character has an ASCII letter in it."""
    start, end = place, place + 1
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return ASCII_LETTER_BESIDE.search(text, start, end) is not None
