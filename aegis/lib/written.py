"""What people may write: text that both databases can store, and that reads on a page as it stands in the database."""

import re
from typing import Final

from django.core.exceptions import ValidationError

CONTROL: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
BREAK: Final = re.compile("[\r\n\u2028\u2029]")
TURN: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")


def flaw(text: str) -> str:
    """What is wrong with a text of any length; empty if nothing is. Tabs and line breaks are fine."""
    if found := CONTROL.search(text):
        return f"The text holds {_name(found.group())}, which cannot be stored: take it out."
    return ""


def flaw_of_line(text: str) -> str:
    """What is wrong with a text that is shown in one line, beside others; empty if nothing is."""
    if BREAK.search(text):
        return "Write one line: take the line break out."
    if found := TURN.search(text):
        return f"The text holds a character that turns the words around it (U+{ord(found.group()):04X}): take it out."
    return flaw(text)


def one_line(text: str) -> None:
    """A validator. Raises ValidationError for what is no line that can be stored and shown beside others."""
    if message := flaw_of_line(text):
        raise ValidationError(message, code="unstorable")


def _name(sign: str) -> str:
    if sign == "\0":
        return "a NUL character"
    if "\ud800" <= sign <= "\udfff":
        return "half a character (a lone surrogate)"
    return f"a control character (U+{ord(sign):04X})"
