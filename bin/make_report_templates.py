"""Makes the Word templates of the reports, coverage/reports/templates/*.docx: the same bytes on every run.

`python bin/make_report_templates.py [FOLDER]`. The variables are those of coverage/reports/context.py; docs/reports.md
tells how to make templates of one's own from these.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from docx import Document
from docx.enum.table import WD_ROW_HEIGHT_RULE, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Mm, Pt, RGBColor
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph

FOLDER: Final = Path(__file__).resolve().parent.parent / "coverage" / "reports" / "templates"
MADE: Final = datetime(2026, 1, 1, tzinfo=UTC)
FONT: Final = "Arial"
MONO: Final = "Courier New"
ACCENT, INK, GREY, LINE = "1A5AC2", "14191F", "4E5866", "C9D0D9"
OUTCOMES: Final = ("0B7A6F", "4F86D8", "DBA127", "C8480F", "BCC6D3")
"""Colours of the key of a bar, from prevented to not tested."""

WIDE: Final = 174
"""What the page has between its margins, in millimetres."""

GRID: Final = 48
"""Columns of the bar, as in coverage/reports/context.py."""

DIGITS: Final = (
    "The digits below a decision are the SHA-256 of what was shown. The last decision stays while a test is reworked."
)
Column = tuple[str, float, str]
"""A heading, a width in millimetres, and how it is aligned: l or r."""


def new_document(title: str) -> Any:
    """An empty A4 page with our styles, the brand above and the number of the page below."""
    document = Document()
    for name in ("author", "comments", "keywords", "subject", "last_modified_by"):
        setattr(document.core_properties, name, "")
    document.core_properties.title = title
    document.core_properties.author = "Aegis"
    document.core_properties.created = document.core_properties.modified = MADE
    rels = document.part.package.rels
    for key in [key for key, rel in rels.items() if rel.reltype.endswith("/thumbnail")]:
        del rels[key]
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(18)
    section.top_margin, section.bottom_margin = Mm(20), Mm(18)
    section.header_distance = section.footer_distance = Mm(9)
    _styles(document)
    _above(section.header.paragraphs[0])
    _below(section.footer.paragraphs[0])
    return document


def _styles(document: Any) -> None:
    _style(document.styles["Normal"], 9.5, INK, after=4)
    _style(document.styles["Title"], 20, INK, bold=True, after=2)
    _style(document.styles["Heading 1"], 12, ACCENT, bold=True, before=12, after=4)
    _style(document.styles.add_style("Meta", 1), 9, GREY, after=8)
    _style(document.styles.add_style("Lead", 1), 12, INK, after=8)
    _style(document.styles.add_style("Cell", 1), 8.5, INK, after=0)
    _style(document.styles.add_style("Head", 1), 8, GREY, bold=True, after=0)
    _style(document.styles.add_style("Small", 1), 8, GREY, before=3, after=2)
    _style(document.styles.add_style("Sub", 1), 8, GREY, after=0)
    _style(document.styles.add_style("Hash", 1), 6.5, GREY, after=0, font=MONO)
    _style(document.styles.add_style("Figure", 1), 14, INK, bold=True, after=0)
    border = document.styles["Title"].element.find(f".//{qn('w:pBdr')}")
    if border is not None:
        border.getparent().remove(border)


def _style(
    style: Any, size: float, colour: str, *, bold: bool = False, before: float = 0, after: float, font: str = FONT
) -> None:
    style.font.name, style.font.size, style.font.bold = font, Pt(size), bold
    style.font.color.rgb = RGBColor.from_string(colour)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    for name in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(name), font)
    style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
    style.paragraph_format.line_spacing = 1.1


def _above(paragraph: Paragraph) -> None:
    """The brand, and when the report was made."""
    _tabbed(paragraph)
    brand = paragraph.add_run("Aegis")
    brand.bold, brand.font.size, brand.font.color.rgb = True, Pt(10), RGBColor.from_string(ACCENT)
    _quiet(paragraph, "\t{{ printed_at }}")
    _border(paragraph._p.get_or_add_pPr(), "w:pBdr", "bottom")


def _below(paragraph: Paragraph) -> None:
    _tabbed(paragraph)
    _quiet(paragraph, "{{ title }}\tPage ")
    _field(paragraph, "PAGE")
    _quiet(paragraph, " of ")
    _field(paragraph, "NUMPAGES")


def _tabbed(paragraph: Paragraph) -> None:
    paragraph.style.paragraph_format.tab_stops.clear_all()  # type: ignore[union-attr]  # a new document has the style
    paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(WIDE), WD_TAB_ALIGNMENT.RIGHT)


def _quiet(paragraph: Paragraph, text: str) -> Any:
    run = paragraph.add_run(text)
    run.font.size, run.font.color.rgb = Pt(8), RGBColor.from_string(GREY)
    return run


def _field(paragraph: Paragraph, code: str) -> None:
    """A figure that the reader's program computes."""
    for kind, text in (("begin", ""), ("", code), ("separate", ""), ("text", "1"), ("end", "")):
        run = _quiet(paragraph, text if kind == "text" else "")
        if kind in {"begin", "separate", "end"}:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
        elif not kind:
            asked = OxmlElement("w:instrText")
            asked.text = text
            run._r.append(asked)


def _border(properties: Any, name: str, *sides: str, colour: str = LINE) -> None:
    borders = OxmlElement(name)
    for side in sides:
        line = OxmlElement(f"w:{side}")
        for key, value in (
            ("val", "single"),
            ("sz", "4"),
            ("space", "2" if name == "w:pBdr" else "0"),
            ("color", colour),
        ):
            line.set(qn(f"w:{key}"), value)
        borders.append(line)
    properties.append(borders)


def control(document: Any, text: str) -> None:
    """A line of the template that is gone from the report: a loop or a condition around what follows."""
    document.add_paragraph(text, style="Sub")


def grid(document: Any, rows: int, widths: Sequence[float], *, lines: bool = True) -> Table:
    """An empty table of fixed widths in millimetres, with a hairline below each row."""
    table: Table = document.add_table(rows=rows, cols=len(widths))
    table.alignment, table.autofit = WD_TABLE_ALIGNMENT.LEFT, False
    properties = table._tbl.tblPr
    if lines:
        _border(properties, "w:tblBorders", "bottom", "insideH")
    _inner(properties)
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
        for cell in column.cells:
            cell.width = Mm(width)
    return table


def _inner(properties: Any) -> None:
    """The distance between a cell's border and its text, in twentieths of a point."""
    margins = OxmlElement("w:tblCellMar")
    for side, width in (("top", 40), ("left", 60), ("bottom", 40), ("right", 60)):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(width))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties.append(margins)


def listing(document: Any, loop: str, columns: Sequence[Column], cells: Sequence[Sequence[tuple[str, str]]]) -> None:
    """A table with a row for each of `loop`: its head stands on every page, no row is cut.

    `cells` are the paragraphs of each cell as (text, style).
    """
    table = grid(document, 4, [width for _, width, _ in columns])
    for place, (title, _, align) in enumerate(columns):
        _fill(table.cell(0, place), [(title, "Head")], align)
        _fill(table.cell(2, place), cells[place], align)
    _fill(table.cell(1, 0), [(f"{{%tr for row in {loop} %}}", "Cell")])
    _fill(table.cell(3, 0), [("{%tr endfor %}", "Cell")])
    _flag(table, 0, "w:tblHeader")
    for number in range(4):
        _flag(table, number, "w:cantSplit")


def _flag(table: Table, row: int, name: str) -> None:
    properties = table.rows[row]._tr.get_or_add_trPr()
    flag = OxmlElement(name)
    flag.set(qn("w:val"), "true")
    properties.append(flag)


def _fill(cell: _Cell, paragraphs: Sequence[tuple[str, str]], align: str = "l") -> None:
    cell.paragraphs[0]._p.getparent().remove(cell.paragraphs[0]._p)
    for text, style in paragraphs:
        paragraph = cell.add_paragraph(text, style=style)
        if align == "r":
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def opening(document: Any) -> None:
    """Title, and below it period, release and time."""
    document.add_paragraph("{{ title }}", style="Title")
    document.add_paragraph("{{ meta|select|join('  ·  ') }}", style="Meta")


def figures(document: Any, number: int) -> None:
    """The figures side by side."""
    table = grid(document, 1, [WIDE / number] * number)
    for place in range(number):
        one = f"figures[{place}]"
        label, value, note = f"{{{{ {one}.label }}}}", f"{{{{ {one}.value }}}}", f"{{{{ {one}.note }}}}"
        _fill(table.cell(0, place), [(label, "Head"), (value, "Figure"), (note, "Sub")])


def bar(document: Any) -> None:
    """The outcomes as one bar, and its key."""
    control(document, "{%p if bar %}")
    table = grid(document, 1, [WIDE / GRID] * GRID, lines=False)
    row = table.rows[0]
    row.height, row.height_rule = Mm(5), WD_ROW_HEIGHT_RULE.EXACTLY
    texts = ("{%tc for part in bar %}", "{% cellbg part.colour %}{% colspan part.span %}", "{%tc endfor %}")
    third = GRID // 3
    cells = [row.cells[place * third].merge(row.cells[place * third + third - 1]) for place in range(3)]
    for cell, text in zip(cells, texts, strict=True):
        _fill(cell, [(text, "Sub")])
        cell.width = Emu(0)
        cell._tc.tcPr.find(qn("w:tcW")).set(qn("w:type"), "auto")
    key = document.add_paragraph(style="Small")
    for place, colour in enumerate(OUTCOMES):
        key.add_run("\u25a0 ").font.color.rgb = RGBColor.from_string(colour)
        key.add_run(f"{{{{ outcomes[{place}].label }}}} {{{{ outcomes[{place}].number }}}}      ")
    control(document, "{%p endif %}")


def words(document: Any, loop: str) -> None:
    """Words and their texts, in two columns."""
    table = grid(document, 3, [30, WIDE - 30])
    _fill(table.cell(0, 0), [(f"{{%tr for row in {loop} %}}", "Cell")])
    _fill(table.cell(1, 0), [("{{ row.word }}", "Head")])
    _fill(table.cell(1, 1), [("{{ row.text }}", "Cell")])
    _fill(table.cell(2, 0), [("{%tr endfor %}", "Cell")])
    for number in range(3):
        _flag(table, number, "w:cantSplit")


def ending(document: Any) -> None:
    """What the words mean, and where the figures come from."""
    document.add_heading("Definitions and method", 1)
    words(document, "definitions")
    document.add_heading("Origin", 1)
    words(document, "origin")


def cell(text: str) -> list[tuple[str, str]]:
    """A cell of one plain paragraph."""
    return [(f"{{{{ row.{text} }}}}", "Cell")]


def executive() -> Any:
    """The template of the executive report."""
    document = new_document("Executive report")
    opening(document)
    document.add_paragraph("{{ lead }}", style="Lead")
    figures(document, 5)
    document.add_heading("Scope", 1)
    document.add_paragraph("{{ scope }}")
    document.add_heading("What to close first", 1)
    control(document, "{%p if gaps %}")
    columns = [("Technique", 50, "l"), ("Why", 74, "l"), ("Score", 13, "r"), ("Owner", 37, "l")]
    listing(document, "gaps", columns, [cell("technique"), cell("why"), cell("score"), cell("owner")])
    control(document, "{%p endif %}")
    document.add_paragraph("{{ gaps_said }}", style="Small")
    document.add_heading("How it moved", 1)
    control(document, "{%p if trend %}")
    columns = [("Share of techniques", 90, "l"), ("{{ trend.first }}", 42, "r"), ("{{ trend.last }}", 42, "r")]
    listing(document, "trend.rows", columns, [cell("name"), cell("first"), cell("last")])
    control(document, "{%p if trend.note %}")
    document.add_paragraph("{{ trend.note }}", style="Small")
    control(document, "{%p endif %}")
    control(document, "{%p else %}")
    document.add_paragraph("The period has fewer than two daily snapshots: nothing to compare yet.")
    control(document, "{%p endif %}")
    document.add_heading("Tests validated in the period", 1)
    bar(document)
    document.add_paragraph("{{ tests_said }}")
    document.add_heading("Claimed and proven by tactic", 1)
    columns = [("Tactic", 82, "l"), *((name, 23, "r") for name in ("All", "Claimed", "Proven", "Gaps"))]
    listing(document, "tactics", columns, [cell(name) for name in ("name", "all", "claimed", "proven", "gaps")])
    ending(document)
    _annex(document)
    return document


def _annex(document: Any) -> None:
    control(document, "{%p if annex %}")
    document.add_heading("Annex: tests validated in the period", 1).paragraph_format.page_break_before = True
    document.add_paragraph("{{ annex_said }}", style="Small")
    hashes = [
        ("{{ row.sha256 }}", "Hash"),
        ("{%p for file in row.evidence %}", "Hash"),
        ("{{ file }}", "Hash"),
        ("{%p endfor %}", "Hash"),
    ]
    columns = [("Test", 48, "l"), ("Outcome", 20, "l"), ("Decided", 32, "l"), ("SHA-256", 74, "l")]
    listing(document, "annex", columns, [cell("test"), cell("outcome"), cell("decided"), hashes])
    control(document, "{%p endif %}")


def campaign() -> Any:
    """The template of a campaign's report."""
    document = new_document("Campaign report")
    opening(document)
    figures(document, 8)
    document.add_heading("Scope", 1)
    words(document, "scope")
    document.add_heading("Findings, best to worst", 1)
    bar(document)
    control(document, "{%p if findings %}")
    _findings(document)
    control(document, "{%p else %}")
    document.add_paragraph("The campaign has no test yet.")
    control(document, "{%p endif %}")
    control(document, "{%p if runs %}")
    document.add_heading("Two runs compared", 1)
    document.add_paragraph("{{ runs_said }}", style="Small")
    columns = [("Test", 102, "l"), ("Before", 24, "l"), ("Now", 24, "l"), ("Change", 24, "l")]
    listing(document, "runs", columns, [cell(name) for name in ("name", "before", "now", "change")])
    control(document, "{%p endif %}")
    document.add_heading("Evidence", 1)
    control(document, "{%p if evidence %}")
    hashed = [("{{ row.file }}", "Cell"), ("{{ row.sha256 }}", "Hash")]
    columns = [("File, SHA-256", 92, "l"), ("Test", 44, "l"), ("Given by", 22, "l"), ("Size", 16, "r")]
    listing(document, "evidence", columns, [hashed, cell("test"), cell("by"), cell("size")])
    control(document, "{%p else %}")
    document.add_paragraph("No file is attached to its tests.")
    control(document, "{%p endif %}")
    ending(document)
    return document


def _findings(document: Any) -> None:
    decision = [
        ("{{ row.state }}", "Cell"),
        ("{%p if row.who %}", "Sub"),
        ("{{ row.who }}", "Sub"),
        ("{%p endif %}", "Sub"),
        ("{%p if row.note %}", "Sub"),
        ("{{ row.note }}", "Sub"),
        ("{%p endif %}", "Sub"),
        ("{%p if row.sha256 %}", "Sub"),
        ("{{ row.sha256 }}", "Hash"),
        ("{%p endif %}", "Sub"),
    ]
    named = [("{{ row.name }}", "Cell"), ("{{ row.technique }}", "Sub")]
    widths = {"Test": 52, "Outcome": 20, "Expected": 18, "Seen after": 18, "State and decision": 66}
    columns = [(name, width, "l") for name, width in widths.items()]
    listing(document, "findings", columns, [named, cell("outcome"), cell("expected"), cell("seen_after"), decision])
    document.add_paragraph(DIGITS, style="Small")


def saved(document: Any) -> bytes:
    """The document as an archive whose files bear no time."""
    file, out = BytesIO(), BytesIO()
    document.save(file)
    with ZipFile(file) as found, ZipFile(out, "w", ZIP_DEFLATED) as made:
        for name in found.namelist():
            made.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), found.read(name), ZIP_DEFLATED)
    return out.getvalue()


def main() -> None:
    """Write both templates."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in (("executive", executive()), ("campaign", campaign())):
        (folder / f"{name}.docx").write_bytes(saved(document))


if __name__ == "__main__":
    main()
