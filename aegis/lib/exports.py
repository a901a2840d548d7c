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

Value = str | Callable[[Any], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A list: what its files are called, and its columns as heading -> attribute path, or function, of a row."""

    name: str
    columns: Mapping[str, Value]

    def lines(self, rows: Iterable[Any]) -> Iterator[list[str]]:
        """The heading, then each row as the texts of its cells."""
        yield list(self.columns)
        values = [attrgetter(value) if isinstance(value, str) else value for value in self.columns.values()]
        for row in _one_by_one(rows):
            yield [words(value(row)) for value in values]


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


def as_csv(table: Table, rows: Iterable[Any]) -> Iterator[str]:
    """The lines of a CSV."""
    return csv_lines(table.lines(rows))


def as_xlsx(
    table: Table, rows: Iterable[Any], about: Mapping[str, str], more: Mapping[Table, Iterable[Any]] | None = None
) -> IO[bytes]:
    """A workbook in an open temporary file: a sheet with the rows, one for each of `more`, and "About".

    Every cell is text that no spreadsheet runs.
    """
    book = Workbook(write_only=True)
    for one, found in ((table, rows), *(more or {}).items()):
        sheet = book.create_sheet(one.name.capitalize()[:31])
        sheet.freeze_panes = "A2"
        for line in one.lines(found):
            sheet.append([harmless(text) for text in line])
    notes = book.create_sheet("About")
    for name, text in about.items():
        notes.append([harmless(name), harmless(text)])
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    book.save(file)
    file.seek(0)
    return file


def harmless(text: str) -> str:
    """A text as a cell of XLSX: neutralised like CSV, without what XML cannot hold, and cut to what a cell can."""
    return cell(fit(text))[:LONGEST]


def _one_by_one(rows: Iterable[Any]) -> Iterable[Any]:
    return rows.iterator(chunk_size=CHUNK) if isinstance(rows, QuerySet) else rows
