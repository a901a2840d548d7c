"""Texts of ATT&CK in plain words: for the many short ones of a page, where HTML made of each would cost too much."""

import re

from aegis.lib.markdown import BREAK, CITATION

LINK = re.compile(r"\[([^\[\]]{1,300})\]\([^()\s]{1,600}\)")
TAG = re.compile(r"</?code>", re.IGNORECASE)
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'(])")

LONGEST_LINE = 180


def plain_text(text: str) -> str:
    """The words alone: links by their text, no citations, no code marks; line breaks as spaces."""
    words = TAG.sub("", BREAK.sub(" ", LINK.sub(r"\1", CITATION.sub("", text))))
    return " ".join(words.replace("`", "").split())


def first_sentence(plain: str) -> str:
    """The first sentence of plain text; where that is too long for a line or two, the words that fit and an ellipsis."""
    if len(plain) <= LONGEST_LINE:
        return plain
    sentence = SENTENCE.split(plain, 1)[0]
    if len(sentence) <= LONGEST_LINE:
        return sentence
    return sentence[: LONGEST_LINE - 1].rsplit(" ", 1)[0] + "…"
