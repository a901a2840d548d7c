"""Charts: what a picture draws and its table prints, from one set of numbers that the API gives too.

The convention, which docs/charts.md tells and tests/test_charts.py holds every page to: a figure with `data-chart` names the
address of its numbers in the API (`data-api`), the list there (`data-rows`) and what identifies a row (`data-key`); each mark
and each cell of the table says which row and which field of it it shows (`data-row`, `data-field`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Number = int | float
NOTHING: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where the API gives a chart's numbers: `rows` is the name of the list in the answer, empty where the answer is the list
    or the only row; `key` the field that identifies a row, empty for the only row.
    """

    url: str
    rows: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One field of the API's rows: its label for people, and the look of its marks (a class `f-<look>`); without a look it is
    only printed.
    """

    field: str
    label: str
    look: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One drawn number. `x` and `width` are percentages for SVG; `text` is what the table prints; `url` leads to its rows."""

    series: Series
    row: str
    value: Number
    text: str
    url: str
    x: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The numbers of one thing, by field; `whole` is what a full bar stands for; `urls` lead to the rows behind a number."""

    key: str
    label: str
    values: Mapping[str, Number]
    whole: Number
    url: str = ""
    urls: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row with the marks of its numbers, in the order of the series."""

    row: Row
    marks: tuple[Mark, ...]

    @property
    def drawn(self) -> list[Mark]:
        """The marks that the picture has; the table has all."""
        return [mark for mark in self.marks if mark.series.look]

    @property
    def words(self) -> str:
        """The numbers for a screen reader."""
        return ", ".join(f"{mark.series.label} {mark.text}" for mark in self.marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class BarChart:
    """Bars. Stacked, the numbers of a row are parts of its whole; else each has a bar of its own, from the left."""

    name: str
    title: str
    numbers: Numbers
    series: Sequence[Series]
    rows: Sequence[Row]
    head: str = ""
    stacked: bool = False

    @property
    def looks(self) -> list[Series]:
        """The series of its key."""
        return [series for series in self.series if series.look]

    @property
    def drawn(self) -> list[DrawnRow]:
        """The rows as they are drawn."""
        return [DrawnRow(row, tuple(self._marks(row))) for row in self.rows]

    def _marks(self, row: Row) -> Iterator[Mark]:
        start: Number = 0
        for series in self.series:
            value = row.values[series.field]
            yield Mark(
                series=series,
                row=row.key,
                value=value,
                text=row.texts.get(series.field, f"{value:,}"),
                url=row.urls.get(series.field, ""),
                x=share(start, row.whole),
                width=share(value, row.whole),
            )
            start += value if self.stacked else 0


@dataclass(frozen=True, slots=True)
class Line:
    """One series over time: `path` is its line, `area` what lies below it, for a box of 100 by 100; `numbers` are "key:value"
    by spaces; the rest is about its last point.
    """

    series: Series
    path: str
    area: str
    numbers: str
    last: Number
    y: str


@dataclass(frozen=True, slots=True)
class Moment:
    """One point in time: its label, and what explains a jump there, if anything does; `x` in percent."""

    key: str
    label: str
    values: Mapping[str, Number]
    x: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChart:
    """Lines of percentages over time, the oldest moment first."""

    name: str
    title: str
    numbers: Numbers
    series: Sequence[Series]
    moments: Sequence[Moment]

    @property
    def lines(self) -> list[Line]:
        """The lines, in the order of the series."""
        return [self._line(series) for series in self.series]

    @property
    def newest_first(self) -> list[Moment]:
        """The moments as the table lists them."""
        return list(reversed(self.moments))

    @property
    def notes(self) -> list[Moment]:
        """The moments at which something explains a jump."""
        return [moment for moment in self.moments if moment.note]

    @property
    def words(self) -> str:
        """What is drawn, for a screen reader."""
        if not self.moments:
            return "nothing yet"
        first, last = self.moments[0], self.moments[-1]
        return f"{first.label} to {last.label}: " + ", ".join(
            f"{series.label} {first.values[series.field]} to {last.values[series.field]} percent"
            for series in self.series
        )

    def _line(self, series: Series) -> Line:
        values = [moment.values[series.field] for moment in self.moments]
        points = [f"{moment.x} {100 - value:.2f}" for moment, value in zip(self.moments, values, strict=True)]
        # One point is a line across: a day has no slope yet.
        drawn = (
            points
            if len(points) > 1
            else [f"0 {100 - value:.2f}" for value in values] + [f"100 {100 - value:.2f}" for value in values]
        )
        path = f"M{' L'.join(drawn)}"
        said = " ".join(f"{moment.key}:{value}" for moment, value in zip(self.moments, values, strict=True))
        last = values[-1] if values else 0
        return Line(series, path, f"{path} L100 100 L0 100 Z", said, last, f"{216 - 2 * last:.0f}")


def share(part: Number, whole: Number) -> str:
    """A share as SVG takes it: "22.14%", never more than all."""
    return f"{min(100 * part / whole, 100):.2f}%" if whole else "0%"
