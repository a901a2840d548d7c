"""JSON-LD graphs and the JSON files they come in: every form of a value, and what hostile files end in."""

import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.readers.json_document import load_fields, load_items, load_members, load_object
from imports.readers.jsonld import Graph, Vocabulary, read_graph
from imports.upstream import ParseError

EX = "http://kitchen.example/terms#"
VOCABULARY = Vocabulary(
    texts=frozenset({EX + "name"}),
    links=frozenset({EX + "near", "@type"}),
    numbers=frozenset({EX + "order"}),
    prefixes={"ex": EX},
)


def graph_of(nodes: object, context: object = None) -> Graph:
    document = {"@context": {"ex": EX} if context is None else context, "@graph": nodes}
    return read_graph(load_members(json.dumps(document).encode()), VOCABULARY)


@pytest.mark.parametrize(
    ("value", "texts", "problems"),
    [
        ("Kettle", ("Kettle",), []),
        (" Kettle\n", ("Kettle",), []),
        ("  ", (), []),
        (None, (), []),
        ([], (), []),
        (["Pot", "Kettle", "Pot"], ("Kettle", "Pot"), []),
        ({"@value": "Kettle"}, ("Kettle",), []),
        ({"@type": "ex:word", "@value": "Kettle"}, ("Kettle",), []),
        ({"@language": "en", "@value": "Kettle"}, ("Kettle",), []),
        ({"@language": "de", "@value": "Kessel"}, ("Kessel",), []),
        ([{"@language": "de", "@value": "Kessel"}, {"@language": "en-GB", "@value": "Kettle"}], ("Kettle",), []),
        ([{"@language": "de", "@value": "Kessel"}, "Kettle"], ("Kettle",), []),
        ({"@set": ["Kettle", "Pot"]}, ("Kettle", "Pot"), []),
        ({"@list": ["Pot"]}, ("Pot",), []),
        ({"@id": "ex:Kettle"}, (), ["expected text, found a reference at `ex:name`"]),
        (["Pot", 7], ("Pot",), ["expected text, found a number at `ex:name`"]),
        (True, (), ["expected text, found true at `ex:name`"]),
        ({"@value": ["Pot"]}, (), ["expected text, found a list at `ex:name`"]),
        ({"@value": "Pot", "@language": 7}, ("Pot",), []),
        ({"a": 1}, (), ["expected text, found an object at `ex:name`"]),
        ([None], (), ["expected text, found nothing at `ex:name`"]),
    ],
)
def test_text_may_be_written_in_every_form_and_nothing_else_becomes_text(value, texts, problems):
    node = graph_of([{"@id": "ex:a", "ex:name": value}]).nodes[EX + "a"]
    assert node.texts.get(EX + "name", ()) == texts
    assert node.problems == problems


@pytest.mark.parametrize(
    ("value", "links", "problems"),
    [
        ({"@id": "ex:b"}, (EX + "b",), []),
        ("ex:b", (EX + "b",), []),
        ({"@id": EX + "b"}, (EX + "b",), []),
        ([{"@id": "ex:c"}, {"@id": "_:N12"}, {"@id": "ex:b"}], (EX + "b", EX + "c"), []),
        ({"@id": "ex:b%3Ac.d-e"}, (EX + "b%3Ac.d-e",), []),
        ({"@id": "urn:thing"}, ("urn:thing",), []),
        ({"@value": "ex:b"}, (), ["expected a reference, found an object at `ex:near`"]),
        ({"@id": 7}, (), ["expected a reference, found an object at `ex:near`"]),
        (7, (), ["expected a reference, found a number at `ex:near`"]),
    ],
)
def test_link_leads_to_a_full_name_and_never_to_a_blank_node(value, links, problems):
    node = graph_of([{"@id": "ex:a", "ex:near": value}]).nodes[EX + "a"]
    assert node.links.get(EX + "near", ()) == links
    assert node.problems == problems


@pytest.mark.parametrize(
    ("value", "numbers"),
    [(3, (3,)), (-1, (-1,)), ({"@type": "xsd:integer", "@value": "-1"}, (-1,)), ("2", (2,)), ([2, "1"], (1, 2))],
)
def test_number_may_be_plain_or_text_in_a_value_object(value, numbers):
    assert graph_of([{"@id": "ex:a", "ex:order": value}]).nodes[EX + "a"].numbers[EX + "order"] == numbers


@pytest.mark.parametrize("value", [True, 1.5, "1.5", "many", "9" * 4000, {"@id": "ex:b"}])
def test_what_is_no_whole_number_is_a_problem_of_its_node(value):
    node = graph_of([{"@id": "ex:a", "ex:order": value}]).nodes[EX + "a"]
    assert node.numbers[EX + "order"] == ()
    assert [problem.split(",")[0] for problem in node.problems] == ["expected a whole number"]


def test_blank_and_nameless_nodes_are_left_out():
    graph = graph_of([{"@id": "_:N1", "ex:name": "x"}, {"ex:name": "y"}, {"@id": "ex:a"}])
    assert list(graph.nodes) == [EX + "a"]
    assert graph.problems == []


def test_broken_nodes_are_named_and_cost_nothing_else():
    graph = graph_of([7, {"@id": ["ex:b"]}, {"@id": "ex:a", "ex:name": "Kettle"}])
    assert graph.nodes[EX + "a"].text(EX + "name") == "Kettle"
    assert graph.problems == [
        "expected an object, found a number at `@graph[0]`",
        "expected text, found a list at `@graph[1].@id`",
    ]


def test_text_that_is_not_utf8_costs_only_its_node():
    data = b'{"@graph": [{"@id": "ex:a", "ex:name": "\xff"}, {"@id": "ex:b", "ex:name": "Pot"}]}'
    graph = read_graph(load_members(data), VOCABULARY)
    assert list(graph.nodes) == [EX + "b"]
    assert len(graph.problems) == 1


def test_node_that_comes_twice_has_the_values_of_both():
    graph = graph_of([{"@id": "ex:a", "ex:name": "Pot"}, {"@id": EX + "a", "ex:name": "Kettle", "ex:near": "ex:b"}])
    assert graph.nodes[EX + "a"].texts == {EX + "name": ("Kettle", "Pot")}
    assert graph.nodes[EX + "a"].links == {EX + "near": (EX + "b",)}


@pytest.mark.parametrize(
    "context",
    [
        "https://kitchen.example/context.jsonld",
        ["https://kitchen.example/context.jsonld", {"ex": EX}],
        {"ex": {"@id": EX}, "title": "ex:name"},
        {"ex": 7},
        7,
        [],
    ],
)
def test_context_is_never_fetched_and_known_prefixes_hold_without_it(context, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("a parser reached for the network"))
    monkeypatch.setattr(socket, "socket", lambda *_: pytest.fail("a parser reached for the network"))
    assert graph_of([{"@id": "ex:a", "ex:name": "Kettle"}], context).nodes[EX + "a"].text(EX + "name") == "Kettle"


def test_context_may_rename_a_property():
    graph = graph_of([{"@id": "k:a", "title": "Kettle"}], {"k": EX, "title": "k:name"})
    assert graph.nodes[EX + "a"].text(EX + "name") == "Kettle"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "not JSON: the file is empty"),
        (b" \n", "not JSON: the file is empty"),
        (b"<!DOCTYPE html><title>502</title>", "not JSON: the file is a web page or XML"),
        (b"[]", "expected an object at the top level, found a list"),
        (b'"graph"', "expected an object at the top level, found text"),
        (b"7", "expected an object at the top level, found a number"),
        (b'{"@graph": ' + b"[" * 100_000, "the JSON is nested too deeply"),
        (b'{"@graph": []} {}', "not JSON: JSON is malformed: trailing characters (byte 16)"),
        (b'{"@graph": [NaN]}', "not JSON: JSON is malformed: invalid character (byte 12)"),
        ('{"@graph": []}'.encode("utf-16-le"), "not JSON: JSON is malformed: object keys must be strings (byte 1)"),
        (b"{}", "expected a list, found nothing at `@graph`"),
        (b'{"@graph": {}}', "expected a list, found an object at `@graph`"),
        (b'{"@graph": null}', "expected a list, found nothing at `@graph`"),
        (b'{"@graph": "https://kitchen.example/"}', "expected a list, found text at `@graph`"),
    ],
)
def test_file_that_is_no_graph_is_refused_with_the_reason(text, message):
    with pytest.raises(ParseError) as caught:
        read_graph(load_members(text), VOCABULARY)
    assert caught.value.message == message


def test_malformed_json_tells_its_line():
    with pytest.raises(ParseError) as caught:
        load_members(b'{\n"a": 1,\n"b": ?}')
    assert caught.value.line == 3


def test_byte_order_mark_is_dropped_and_the_last_of_repeated_keys_counts():
    members = load_members(b'\xef\xbb\xbf{"a": [1], "a": [2, 3], "b": {"c": []}}')
    assert [bytes(item) for item in load_items(members, "a")] == [b"2", b"3"]
    assert list(load_object(members, "b")) == ["c"]
    assert load_fields(members["b"]).texts("c") == ()


@given(st.permutations(range(5)), st.permutations(range(3)))
def test_order_of_nodes_and_values_never_matters(node_order, value_order):
    values = ["Pot", {"@language": "en", "@value": "Kettle"}, {"@value": "Cup"}]
    links = [{"@id": f"ex:n{index}"} for index in range(3)]
    nodes = [
        {
            "@id": f"ex:n{index % 4}",
            "ex:name": [values[position] for position in value_order],
            "ex:near": [links[position] for position in value_order],
        }
        for index in range(5)
    ]
    assert graph_of([nodes[index] for index in node_order]).nodes == graph_of(nodes).nodes
