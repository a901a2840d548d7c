"""Colours for rules: keys, strings and comments of YAML, TOML and query languages, as spans with classes."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

from pygments.lexer import Lexer, RegexLexer
from pygments.lexers.configs import TOMLLexer
from pygments.lexers.data import YamlLexer
from pygments.token import Comment, Keyword, Name, String, Text

from catalog.code import Span

LONGEST: Final = 200_000
"""Characters beyond which a text stays plain: colouring it would take longer than the rest of the page."""
QUERY_WORDS: Final = (
    "and|or|not|in|like|rlike|regex|where|sequence|sample|until|by|with|from|eval|keep|drop|stats|sort|limit|dissect|grok"
    "|rename|any|is|as|null|true|false|process|file|network|registry|library"
)


class QueryLexer(RegexLexer):
    """Elastic's query languages (EQL, ES|QL, KQL, Lucene): what they have in common is enough to read them."""

    name = "Query"
    tokens = {
        "root": [
            (r"//[^\n]*", Comment),
            (r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/", Comment),
            (r'"""(?:(?!""")[^\\]|\\[\s\S])*"""', String),
            (r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"', String),
            (rf"(?i:(?<![\w.:])(?:{QUERY_WORDS})(?![\w.:]))", Keyword),
            (r"[\w.@-]+", Text),
            (r"\s+", Text),
            (r".", Text),
        ]
    }


LEXERS: Final[dict[str, type[Lexer]]] = {"yaml": YamlLexer, "toml": TOMLLexer, "query": QueryLexer}


def highlighted(text: str, language: str) -> Iterator[Span]:
    """`text` in spans, `language` being yaml, toml or query; one plain span for any other, and for a very long text."""
    runs = list(_runs(text, language)) if language in LEXERS and len(text) <= LONGEST else []
    # What a lexer does not give back whole it has not understood; the text comes before its colours.
    if "".join(run for _, run in runs) != text:
        runs = [("", text)]
    for look, same in groupby(runs, key=lambda pair: pair[0]):
        yield Span("".join(run for _, run in same), look)


def _runs(text: str, language: str) -> Iterator[tuple[str, str]]:
    for _, token, run in LEXERS[language]().get_tokens_unprocessed(text):
        yield _look(token), run


def _look(token: Any) -> str:
    if token in Comment:
        return "c"
    if token in String:
        return "s"
    # Name.Tag is a key of YAML, a bare Name one of TOML; other names are words in a block of text.
    return "k" if token in Name.Tag or token is Name or token is Keyword else ""
