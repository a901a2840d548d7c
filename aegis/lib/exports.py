"""Lists as files: CSV as it comes, and XLSX through a temporary file. Columns are declared once; nothing is kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from tempfile import TemporaryFile
from typing import IO, Any, Final

from django.db.models import QuerySet
from openpyxl import Workbook

from aegis.lib.csv_cells import cell, csv_lines
from aegis.lib.xml_text import fit

CHUNK: Final = 1000
LONGEST: Final = 32_767
"""What a cell of XLSX can hold, in characters."""

MOST_EXACT: Final = 10**15
"""Spreadsheets keep fifteen digits. No infinity and nothing that is no number is less."""

Value = str | Callable[[Any], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A list: what its files are called, and its columns as heading -> attribute path, or function, of a row."""

    name: str
    columns: Mapping[str, Value]

    def lines(self, rows: Iterable[Any]) -> Iterator[list[Any]]:
        """The heading, then each row as the values of its cells."""
        yield list(self.columns)
        values = [attrgetter(value) if isinstance(value, str) else value for value in self.columns.values()]
        for row in _one_by_one(rows):
            yield [value(row) for value in values]


def words(value: Any) -> str:
    """A value as text: several with semicolons between, times as ISO 8601, yes and no."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, (list, tuple)):
        return "; ".join(map(words, value))
    return str(value)


def is_number(value: Any) -> bool:
    """Whether a value is a number: yes and no are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def as_csv(table: Table, rows: Iterable[Any]) -> Iterator[str]:
    """The lines of a CSV."""
    return csv_lines([value if is_number(value) else words(value) for value in line] for line in table.lines(rows))


def as_xlsx(
    table: Table, rows: Iterable[Any], about: Mapping[str, str], more: Mapping[Table, Iterable[Any]] | None = None
) -> IO[bytes]:
    """A workbook in an open temporary file: a sheet with the rows, one for each of `more`, and "About".

    Every cell is a number, or text that no spreadsheet runs.
    """
    book = Workbook(write_only=True)
    for one, found in ((table, rows), *(more or {}).items()):
        sheet = book.create_sheet(one.name.capitalize()[:31])
        sheet.freeze_panes = "A2"
        for line in one.lines(found):
            sheet.append([of_workbook(value) for value in line])
    notes = book.create_sheet("About")
    for name, text in about.items():
        notes.append([harmless(name), harmless(text)])
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    book.save(file)
    file.seek(0)
    return file


def of_workbook(value: Any) -> str | int | float:
    """A value as a cell of XLSX: a number that it holds to the last digit as one, to be summed and sorted; all else as text."""
    return value if is_number(value) and abs(value) < MOST_EXACT else harmless(words(value))


def harmless(text: str) -> str:
    """A text as a cell of XLSX: neutralised like CSV, without what XML cannot hold, and cut to what a cell can."""
    return cell(fit(text))[:LONGEST]


def _one_by_one(rows: Iterable[Any]) -> Iterable[Any]:
    return rows.iterator(chunk_size=CHUNK) if isinstance(rows, QuerySet) else rows
