"""Text that any file of XML can hold, such as a document or a workbook."""

import re
from typing import Final

UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no place for: control characters, halves of pairs, and two that are no characters."""


def fit(text: str) -> str:
    """The text with a sign (U+FFFD) for each character that XML cannot hold."""
    return UNFIT.sub("\ufffd", text)
