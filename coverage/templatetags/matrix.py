"""The cells of the matrix, which stand on the page 900 times: each is printed by one function, and a column by one tag."""

from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from aegis.lib.templatetags.aegis import badge
from coverage.matrix.assembly import Cell, Column, Family, Matrix
from coverage.matrix.choices import Choice

register = template.Library()

# Left what is claimed, right what is proven; before it the box that selects the technique.
CELL = (
    '<input type="checkbox" name="technique" value="{id}" aria-label="Select {id}">'
    '<a class="{look}" href="{href}{id}" title="{facts}"><span class="t">{shown_id}{name}{local}</span>{marks}'
    '<span class="v" aria-hidden="true"><b class="{shade}">{rules}</b><i>{templates}</i>{proof}</span></a>'
)
LONE = '<li><div class="cell-wrap">{}</div></li>'
FAMILY = (
    '<li><div class="cell-wrap has-subs">{}<a class="cell-more" href="{}" aria-expanded="{}" '
    'aria-label="{} sub-technique{} of {}">{}</a></div><ol class="subs"{}>{}</ol></li>'
)
ROW = (
    '<tr><td class="mono small subtle">{id}</td>'
    '<td class="lead"><a class="name" href="{href}{id}">{name}</a>{local}{parent}</td>'
    '<td class="small muted">{tactics}</td><td class="r num" data-l="Rules">{rules}</td>'
    '<td class="r num" data-l="Templates">{templates}</td><td class="r num" data-l="Actors">{actors}</td>'
    '<td class="small muted">{state}{review}</td>{said}</tr>\n'
)
UNMARKED = format_html('<td class="small"><span class="{}">–</span></td>', "zero")
UNTESTED = format_html('<i class="{}">{}</i>', "v-none", "–")
FLAG = format_html('<i class="{}"></i>', "flag")
LOCAL = format_html(' <i class="{}">{}</i>', "local", "local")
HIDDEN = format_html(" {}", "hidden")


# A column prints what is in it and nothing else: what was printed before is printed again, in half the page's time. Sixteen
# views of the matrix at once, of fourteen columns each.
@register.simple_tag
@lru_cache(maxsize=256)
def families(column: Column, techniques: str, ids: bool) -> SafeString:
    """`{% families column techniques query.ids %}`: the items of a column; cells lead below the address `techniques`."""
    return format_html_join("", "{}", ((_family(family, techniques, ids),) for family in column.families))


@register.simple_tag
def options(choices: Iterable[Choice]) -> SafeString:
    """`{% options select.choices %}`: the options of a select, of which the bar has three hundred."""
    chosen = format_html(" {}", "selected")
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((choice.value, chosen if choice.is_set else "", choice.label) for choice in choices),
    )


# As with the columns: where a test moved one cell, the others of its column are printed again.
@lru_cache(maxsize=8192)
def cell_link(cell: Cell, techniques: str, ids: bool) -> SafeString:
    """The box that selects a technique, and the link to it below `techniques`, its id printed if `ids`."""
    return format_html(
        CELL,
        id=cell.mitre_id,
        look=cell.look,
        href=techniques,
        facts=cell.facts,
        shown_id=format_html('<span class="id">{}</span>', cell.mitre_id) if ids else "",
        name=_breakable(cell.name),
        local=LOCAL if cell.local else "",
        marks=_marks(cell),
        shade=cell.shade,
        rules=cell.rules,
        templates=cell.templates,
        proof=format_html('<b class="{}">{}</b>', cell.proof_look, cell.proof) if cell.proof else UNTESTED,
    )


@register.simple_tag
def table_rows(matrix: Matrix, techniques: str) -> SafeString:
    """`{% table_rows matrix techniques %}`: the rows of the table, with what marks them where anything lies over it."""
    marked = bool(matrix.layings)
    return format_html_join("", "{}", ((_row(cell, techniques, marked),) for cell in matrix.rows))


# As with the cells: most rows are those of the last time.
@lru_cache(maxsize=8192)
def _row(cell: Cell, techniques: str, marked: bool) -> SafeString:
    said = format_html('<td class="small" data-l="Marked">{}</td>', cell.said) if cell.said else UNMARKED
    return format_html(
        ROW,
        id=cell.mitre_id,
        href=techniques,
        name=cell.name,
        local=format_html(" {}", badge("local")) if cell.local else "",
        parent=format_html('<span class="sub">{}</span>', cell.parent) if cell.parent else "",
        tactics=cell.tactics,
        rules=cell.rules,
        templates=cell.templates,
        actors=cell.actors,
        state=cell.state,
        review=", review required" if cell.review else "",
        said=said if marked else "",
    )


def _family(family: Family, techniques: str, ids: bool) -> SafeString:
    head = cell_link(family.cell, techniques, ids)
    if not family.subs:
        return format_html(LONE, head)
    number = len(family.subs)
    return format_html(
        FAMILY,
        head,
        family.toggle,
        "true" if family.is_open else "false",
        number,
        "" if number == 1 else "s",
        family.cell.name,
        number,
        "" if family.is_open else HIDDEN,
        format_html_join("", "<li>{}</li>", ((cell_link(sub, techniques, ids),) for sub in family.subs)),
    )


def _marks(cell: Cell) -> SafeString | str:
    """A letter for each overlay, hollow where only a sub-technique is marked; and the flag of a review."""
    flag = FLAG if cell.review else ""
    if not cell.marks:
        return flag
    letters = format_html_join(
        "",
        '<i class="o-{}{}">{}</i>',
        ((mark.letter.lower(), " is-below" if mark.below else "", mark.letter) for mark in cell.marks),
    )
    return format_html('{}<span class="o" aria-hidden="true">{}</span>', flag, letters)


def _breakable(name: str) -> str:
    """The name, which may break after a slash: two words joined by one do not fit a cell."""
    *first, last = name.split("/")
    return format_html("{}{}", format_html_join("", "{}/<wbr>", ((part,) for part in first)), last) if first else name
