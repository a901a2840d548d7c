"""The cell of the matrix, which stands on the page 900 times."""

from functools import lru_cache

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from coverage.matrix import Cell

register = template.Library()

# Left what is claimed, right what is proven.
CELL = (
    '<a class="{}" href="{}{}" title="{}"><span class="t">{}{}</span>'
    '<span class="v" aria-hidden="true"><b class="{}">{}</b><i>{}</i>{}</span></a>'
)
UNTESTED = format_html('<i class="{}">{}</i>', "v-none", "–")


# A cell prints what is in it and nothing else: what was printed before is printed again, in half the page's time.
@register.simple_tag(name="cell")
@lru_cache(maxsize=4096)
def cell_link(cell: Cell, techniques: str, ids: bool) -> SafeString:
    """`{% cell family.cell techniques query.ids %}`: a link to the technique below `techniques`, its id printed if `ids`."""
    mitre_id = format_html('<span class="id">{}</span>', cell.mitre_id) if ids else ""
    return format_html(
        CELL,
        cell.look,
        techniques,
        cell.mitre_id,
        cell.facts,
        mitre_id,
        _breakable(cell.name),
        cell.shade,
        cell.rules,
        cell.templates,
        format_html('<b class="{}">{}</b>', cell.proof_look, cell.proof) if cell.proof else UNTESTED,
    )


def _breakable(name: str) -> str:
    """The name, which may break after a slash: two words joined by one do not fit a cell."""
    *first, last = name.split("/")
    return format_html("{}{}", format_html_join("", "{}/<wbr>", ((part,) for part in first)), last) if first else name
