"""The commands of a template with its arguments filled in, as Invoke-AtomicTest fills them: `#{name}` becomes the default."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from catalog.code import Span

PLACEHOLDER: Final = re.compile(r"#\{([^{}\n]{1,200})\}")
MOST_NESTED: Final = 10
"""Other arguments that one default may name; upstreams name one."""
MOST_FILLED: Final = 100_000
"""Characters that values may add to one command: a template made to grow without end stays readable."""


def defaults(arguments: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The default of each argument that has one, by name. A default that names other arguments has theirs in it."""
    plain = {str(one["name"]): str(one["default"]) for one in arguments if one.get("default") is not None}
    return {name: _nested(value, plain) for name, value in plain.items()}


def placeholders(text: str) -> list[str]:
    """The names of the arguments in `text`, in order, each once."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def published(text: str) -> Iterator[Span]:
    """The runs of `text` as it is, with each placeholder marked."""
    for run, name in _runs(text):
        yield Span(run, "arg" if name else "", f"argument {name}" if name else "")


def filled(text: str, values: Mapping[str, str]) -> Iterator[Span]:
    """The runs of `text` with values in place of placeholders, each marked; one without a value stays as it is."""
    left = MOST_FILLED
    for run, name in _runs(text):
        value = values.get(name)
        if not name:
            yield Span(run)
        elif value is None:
            yield Span(run, "arg", f"argument {name}: no default, write a value of your own")
        elif len(value) > left:
            yield Span(run, "arg", f"argument {name}: its default is too long to show here")
        else:
            left -= len(value)
            yield Span(value, "arg", f"argument {name}")


def _nested(value: str, values: Mapping[str, str]) -> str:
    if value.count("#{") > MOST_NESTED:
        return value
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), value)


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """The text in order: plain runs with an empty name, placeholders with theirs."""
    start = 0
    for match in PLACEHOLDER.finditer(text):
        yield text[start : match.start()], ""
        yield match[0], match[1]
        start = match.end()
    yield text[start:], ""
