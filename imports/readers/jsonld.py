"""JSON-LD graphs, as far as published ontologies use them (https://www.w3.org/TR/json-ld11/#node-objects).

A flattened document: `@graph` is a list of nodes, and `@context` the prefixes that shorten their names. A property is a
value or a list of values, and a value is text, a number, `{"@value": ...}` with or without `@language`, or a reference
`{"@id": ...}`. Lists have no order in JSON-LD, so values come out sorted: the order in the file never matters.
A remote `@context` is never fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from imports.readers.json_document import load_fields, load_items
from imports.upstream import ParseError

RDFS = "http://www.w3.org/2000/01/rdf-schema#"
KNOWN_PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": RDFS,
    "owl": "http://www.w3.org/2002/07/owl#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
BLANK = "_:"

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The properties to read, by full name and by what their values are; all others are passed over."""

    texts: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    prefixes: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Node:
    """One named node. Values are sorted and without repeats; `problems` tells of values that had another type."""

    iri: str
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: dict[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: dict[str, tuple[int, ...]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def text(self, name: str) -> str:
        """The first text of the property, or "" when it has none."""
        return next(iter(self.texts.get(name, ())), "")


@dataclass(slots=True)
class Graph:
    """The named nodes of a document by full IRI; `problems` tells of nodes that could not be read."""

    nodes: dict[str, Node]
    problems: list[str]


def read_graph(members: dict[str, msgspec.Raw], vocabulary: Vocabulary) -> Graph:
    """The graph in a document's members (see `load_members`). A node that comes twice has the values of both.

    Blank nodes are left out, as subjects and as values of a link: their ids change with every build of an ontology.
    Raises ParseError when `@graph` is not a list.
    """
    names = _Names({**KNOWN_PREFIXES, **vocabulary.prefixes, **_prefixes(members.get("@context"))})
    wanted = vocabulary.texts | vocabulary.links | vocabulary.numbers
    statements: dict[str, dict[str, list[object]]] = {}
    problems: list[str] = []
    for index, raw in enumerate(load_items(members, "@graph")):
        try:
            properties = load_fields(raw, f"@graph[{index}]")
            iri = names.full(properties.optional_text("@id"))
        except ParseError as error:
            problems.append(error.message)
            continue
        if iri and not iri.startswith(BLANK):
            _collect(statements.setdefault(iri, {}), properties.values, names, wanted)
    nodes = {iri: _node(iri, values, vocabulary, names) for iri, values in statements.items()}
    return Graph(nodes, problems)


class _Names:
    """Full names of shortened ones: `rdfs:label`, or a term that the context defines."""

    def __init__(self, prefixes: dict[str, str]) -> None:
        self._prefixes = prefixes
        self._known: dict[str, str] = {}

    def full(self, name: str) -> str:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._expand(self._prefixes.get(name, name))
        return known

    def _expand(self, name: str) -> str:
        prefix, colon, rest = name.partition(":")
        if not colon or rest.startswith("//") or prefix not in self._prefixes:
            return name
        return self._prefixes[prefix] + rest

    def short(self, name: str) -> str:
        """A full name with its longest prefix, as people write it."""
        found = [(value, prefix) for prefix, value in self._prefixes.items() if value and name.startswith(value)]
        value, prefix = max(found, default=("", ""))
        return f"{prefix}:{name.removeprefix(value)}" if value else name


def _prefixes(context: msgspec.Raw | None) -> dict[str, str]:
    """What an inline context defines. One that is an address is not looked up."""
    inline = _as_list(msgspec.json.decode(context)) if context is not None else []
    terms = [term for part in inline if isinstance(part, dict) for term in part.items()]
    return {name: iri for name, value in terms if isinstance(iri := _identified(value), str)}


def _collect(
    collected: dict[str, list[object]], properties: Mapping[str, object], names: _Names, wanted: frozenset[str]
) -> None:
    for key, value in properties.items():
        if (name := names.full(key)) in wanted:
            collected.setdefault(name, []).extend(_as_list(value))


def _node(iri: str, values: dict[str, list[object]], vocabulary: Vocabulary, names: _Names) -> Node:
    node = Node(iri)
    for name, found in values.items():
        if name in vocabulary.links:
            links = {names.full(link) for link in _readable(node, name, names, found, _link)}
            node.links[name] = tuple(sorted(link for link in links if not link.startswith(BLANK)))
        elif name in vocabulary.numbers:
            node.numbers[name] = tuple(sorted(set(_readable(node, name, names, found, _number))))
        else:
            node.texts[name] = _best_language(_readable(node, name, names, found, _text))
    return node


def _readable(
    node: Node, name: str, names: _Names, values: Iterable[object], read: Callable[[object], Value]
) -> list[Value]:
    readable = []
    for value in values:
        try:
            readable.append(read(value))
        except ParseError as error:
            node.problems.append(f"{error.message} at `{names.short(name)}`")
    return readable


def _best_language(values: list[tuple[str, str]]) -> tuple[str, ...]:
    """English texts and those of no language, if there are any; else all."""
    texts = [(text.strip(), language) for text, language in values if text.strip()]
    english = {text for text, language in texts if not language or language.lower().split("-")[0] == "en"}
    return tuple(sorted(english or {text for text, _ in texts}))


def _text(value: object) -> tuple[str, str]:
    """The text and its language ("" for none)."""
    language = value.get("@language") if isinstance(value, dict) else None
    literal = value.get("@value", value) if isinstance(value, dict) else value
    if isinstance(literal, str):
        return literal, language if isinstance(language, str) else ""
    raise ParseError(f"expected text, found {_kind(literal)}")


def _number(value: object) -> int:
    literal = value.get("@value", value) if isinstance(value, dict) else value
    if isinstance(literal, str) and literal.removeprefix("-").isdecimal() and len(literal) < 10:
        return int(literal)
    if isinstance(literal, int) and not isinstance(literal, bool):
        return literal
    raise ParseError(f"expected a whole number, found {_kind(literal)}")


def _link(value: object) -> str:
    target = _identified(value)
    if isinstance(target, str) and target:
        return target
    raise ParseError(f"expected a reference, found {_kind(value)}")


def _identified(value: object) -> object:
    return value.get("@id") if isinstance(value, dict) else value


def _as_list(value: object) -> list[object]:
    if isinstance(value, dict):
        value = value.get("@set", value.get("@list", value))
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _kind(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return "a number"
        case dict():
            return "a reference" if isinstance(value.get("@id"), str) else "an object"
        case list():
            return "a list"
        case None:
            return "nothing"
        case _:
            return "text"
