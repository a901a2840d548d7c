"""Charts of a page, read as docs/charts.md describes them: what the picture draws, the table prints and the API gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import html

Shown = dict[tuple[str, str], float]


@dataclass(frozen=True)
class FoundChart:
    """One chart: numbers by (row, field), and where the API gives them."""

    name: str
    api: str
    rows: str
    key: str
    picture: Shown
    table: Shown

    def of_the_api(self, answer: Any) -> Shown:
        """The same numbers in an answer of the API."""
        rows = answer
        for name in filter(None, self.rows.split(".")):
            rows = rows[name]
        rows = rows if isinstance(rows, list) else [rows]
        given = {str(row[self.key]) if self.key else "": row for row in rows}
        return {(row, field): float(given[row][field]) for row, field in self.table}


def charts_of(page: bytes) -> Iterator[FoundChart]:
    """The charts of a page."""
    for figure in html.fromstring(page).xpath("//*[@data-chart]"):
        yield FoundChart(
            name=figure.get("data-chart"),
            api=figure.get("data-api"),
            rows=figure.get("data-rows", ""),
            key=figure.get("data-key", ""),
            picture=dict(_drawn(figure)),
            table={
                (cell.get("data-row"), cell.get("data-field")): float(cell.xpath(".//data")[0].get("value"))
                for cell in figure.xpath(".//td[@data-field]")
            },
        )


def printed(page: bytes) -> list[tuple[str, float, str]]:
    """(chart, value, text) of each cell: that what people read is what the cell says it is."""
    return [
        (figure.get("data-chart"), float(value.get("value")), value.text_content().strip())
        for figure in html.fromstring(page).xpath("//*[@data-chart]")
        for value in figure.xpath(".//td[@data-field]//data")
    ]


def counted_links(page: bytes) -> list[tuple[str, int]]:
    """(address, number) of each link that tells how many rows it leads to, in charts and outside them."""
    tree = html.fromstring(page)
    figures = [(link.get("href"), int(link.get("data-count"))) for link in tree.xpath("//a[@data-count]")]
    cells = [
        (link.get("href"), int(float(link.getparent().get("value"))))
        for link in tree.xpath("//td[@data-field]/data/a[@href]")
    ]
    parts = [
        (link.get("href"), int(float(link.xpath(".//*[@data-value]")[0].get("data-value"))))
        for link in tree.xpath("//*[@data-chart]//svg/a[@href]")
    ]
    return [*figures, *cells, *parts]


def _drawn(figure: Any) -> Iterator[tuple[tuple[str, str], float]]:
    for mark in figure.xpath(".//*[local-name()='svg']//*[@data-value]"):
        yield (mark.get("data-row"), mark.get("data-field")), float(mark.get("data-value"))
    for line in figure.xpath(".//*[local-name()='svg']//*[@data-values]"):
        for point in line.get("data-values").split():
            row, _, value = point.rpartition(":")
            yield (row, line.get("data-field")), float(value)


def how_many(context: Any) -> int:
    """How many rows a page says that there are: on all its pages, or in all that it sums up."""
    return int(context["in_force"] if "in_force" in context else context["page"].paginator.count)
