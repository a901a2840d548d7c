"""Code as a page shows it: the exact text, and in which runs of which look it is drawn."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aegis.lib.odd_characters import Part, parts


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text. `look` is its class (`k` key, `s` string, `c` comment, `arg` argument, none), `title` its tooltip."""

    text: str
    look: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A block of code: its text byte for byte, for the clipboard, and the spans that draw it."""

    text: str
    spans: tuple[Span, ...]
    odd: int
    """How many of its characters are hidden or misleading; each stands in a span of its own, by its code point."""


def code(spans: Iterable[Span]) -> Code:
    """The block that `spans` make up, one after the other, with odd characters taken out of them and named."""
    runs = [span for span in spans if span.text]
    text = "".join(span.text for span in runs)
    drawn = tuple(_drawn(runs, parts(text)))
    return Code(text, drawn, sum(span.look == "odd" for span in drawn))


def _drawn(runs: list[Span], pieces: Iterable[Part]) -> Iterator[Span]:
    """Both divisions of one text at once: where a run ends and where an odd character stands."""
    rest = iter(runs)
    run = Span("")
    for piece in pieces:
        if piece.odd:
            run = run if run.text else next(rest)
            run = Span(run.text[1:], run.look, run.title)
            yield Span(piece.text, "odd", piece.odd)
            continue
        left = len(piece.text)
        while left:
            run = run if run.text else next(rest)
            taken = run.text[:left]
            yield Span(taken, run.look, run.title)
            run = Span(run.text[left:], run.look, run.title)
            left -= len(taken)
