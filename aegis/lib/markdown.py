"""Texts of other people as HTML: Markdown without HTML in it, then an allow-list. The one place that calls HTML safe."""

import re

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {
    "p",
    "br",
    "code",
    "pre",
    "ul",
    "ol",
    "li",
    "em",
    "strong",
    "blockquote",
    "a",
    "h4",
    "h5",
    "h6",
    "table",
    "thead",
}
TAGS |= {"tbody", "tr", "th", "td"}
# "*" would else allow title and lang everywhere.
ATTRIBUTES: dict[str, set[str]] = {"*": set(), "a": {"href"}}
SCHEMES = {"http", "https"}
LINK_REL = "noopener noreferrer nofollow"
# Nesting beyond this is no text that anybody wrote; markdown-it leaves it as it is.
NESTING = 20
# The renderer's time grows with the square of some texts; the longest that MITRE publishes has 4,680 characters.
LONGEST = 20_000

# ATT&CK writes literals as <code>...</code>, and <br> for a line: HTML that would else be shown as text.
CODE = re.compile(r"<code>((?:(?!<code>).)*?)</code>", re.DOTALL | re.IGNORECASE)
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# "(Citation: Name)" points into a STIX bundle's external references, which a reader of the page does not have.
CITATION = re.compile(r"[ \t]*\(Citation:[^()]*(?:\([^()]*\)[^()]*)*\)")
# A page has its own h1 to h3.
DEMOTED = {"h1": "h4", "h2": "h5", "h3": "h6", "h4": "h6", "h5": "h6"}

_markdown = MarkdownIt("commonmark", {"html": False, "maxNesting": NESTING}).disable("image").enable("table")


def upstream_html(text: str) -> SafeString:
    """Safe HTML for Markdown (CommonMark and tables) from an upstream: no images, styles, ids; links to http and https only.

    Plain text, escaped, where it is too long for the renderer, or the renderer gives up on it.
    """
    try:
        tokens = _markdown.parse(_as_markdown(text)) if len(text) <= LONGEST else None
    except (RecursionError, ValueError):
        tokens = None
    if tokens is None:
        return mark_safe(f"<p>{escape(text)}</p>")  # noqa: S308  escaped just here
    for token in tokens:
        token.tag = DEMOTED.get(token.tag, token.tag)
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    clean = nh3.clean(
        html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, url_relative="deny", link_rel=LINK_REL
    )
    return mark_safe(clean)  # noqa: S308  nh3 has just cleaned it


def _as_markdown(text: str) -> str:
    """ATT&CK's own mix of Markdown and HTML as Markdown alone."""
    text = CITATION.sub("", text)
    return BREAK.sub("\n", CODE.sub(lambda code: _code_span(code.group(1)), text))


def _code_span(literal: str) -> str:
    """`literal` between more backticks than it has in a row, as CommonMark asks."""
    fence = "`" * (max((len(run) for run in re.findall("`+", literal)), default=0) + 1)
    pad = " " if literal.startswith("`") or literal.endswith("`") else ""
    return f"{fence}{pad}{literal}{pad}{fence}" if literal.strip() else literal
