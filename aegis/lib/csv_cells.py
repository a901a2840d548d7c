"""CSV that a spreadsheet shows and never runs."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Final

RUNS: Final = frozenset("=+-@\t\r\n＝＋－＠")
"""What a cell begins with that a spreadsheet takes for a formula (OWASP, CSV injection), in full width too."""

UNSEEN: Final = "\ufeff\u200b\u200c\u200d\u2060\u00ad"


def cell(value: Any) -> str:
    """`value` as the text of a cell. A text that a spreadsheet would run gets an apostrophe in front, a number never.

    To read the text back, take one apostrophe away from the front of a text that begins with one.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value)
    bare = value.lstrip(UNSEEN + " \u00a0\u3000")
    return f"'{value}" if value.startswith("'") or (bare and bare[0] in RUNS) else value


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Each row as one line of CSV (RFC 4180), every cell in quotes, as it comes: nothing is kept."""
    writer = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text
