"""The YAML reader: text comes out as it was written, and nothing hostile gets through or takes long."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from imports.readers.yaml import load_documents, load_yaml, read_documents
from imports.upstream import ParseError

LAUGHS = "a0: &a0 [lol]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
MERGES = "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 20))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("7", 7),
        ("-1", -1),
        ("0", 0),
        ("1.5", 1.5),
        ("true", True),
        ("false", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("text", "text"),
        ("'7'", "7"),
        ('"true"', "true"),
        ("|\n  7\n", "7\n"),
        ("010", "010"),
        ("-0", "-0"),
        ("+1", "+1"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1:30", "1:30"),
        ("1.10", "1.10"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("True", "True"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("=", "="),
        ("٣", "٣"),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, "9" * 19),
        ("9" * 1_000_000, "9" * 1_000_000),
    ],
)
def test_scalar_keeps_what_upstream_wrote(written, value):
    loaded = load_yaml(f"a: {written}")
    assert loaded == {"a": value}
    assert type(loaded["a"]) is type(value)


@pytest.mark.parametrize("key", ["1", "true", "on", "~", "2024-01-31", "1.5"])
def test_keys_are_text_as_written(key):
    assert load_yaml(f"{key}: a") == {key: "a"}


PLAIN_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18) + 1, 10**18 - 1)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.text("abcß1 -:#", max_size=6), values, max_size=4),
    max_leaves=20,
)


@given(value=PLAIN_VALUES, flow=st.booleans(), style=st.sampled_from([None, "'", '"', "|", ">"]))
def test_what_a_yaml_writer_wrote_loads_as_with_the_safe_loader(value, flow, style):
    text = yaml.safe_dump(value, default_flow_style=flow, default_style=style, allow_unicode=True)
    if "!!" in text:  # the writer tags what the quotes it was told to use would turn into text
        with pytest.raises(ParseError, match="the tag"):
            load_yaml(text)
    else:
        assert load_yaml(text) == yaml.CSafeLoader(text).get_single_data()


YAML_PIECES = [*"ab01.:-?[]{},&*!|>'\"#%@~<=\n\n  \t\r", ": ", "- ", "\n  ", "null", "true", "---\n", "é"]
YAML_LOOKALIKES = st.lists(st.sampled_from(YAML_PIECES), max_size=30).map("".join)


@given(text=YAML_LOOKALIKES)
def test_any_text_ends_in_a_parse_error_or_in_what_it_says(text):
    try:
        ours = load_documents(text)
    except ParseError:
        return
    loader = yaml.CBaseLoader(text)
    theirs = []
    while loader.check_data():
        theirs.append(loader.get_data())
    assert len(ours) == len(theirs)
    assert all(says_the_same(one, other) for one, other in zip(ours, theirs, strict=True))


def says_the_same(value: object, written: object) -> bool:
    """Whether `value` is what an untyped loader, which gives every scalar as text, calls `written`."""
    match value:
        case None:
            return written in ("", "~", "null", "Null", "NULL")
        case bool():
            return written == str(value).lower()
        case list():
            return isinstance(written, list) and all(map(says_the_same, value, written))
        case dict():
            return value.keys() == written.keys() and all(says_the_same(value[key], written[key]) for key in value)
        case _:
            return str(value) == written


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("[" * 33, "nested deeper than 32 levels", 1),
        ("[" * 25_000 + "]" * 25_000, "nested deeper than 32 levels", 1),
        ("[" * 1_000_000, "nested deeper than 32 levels", 1),
        ("{a: " * 20_000, "nested deeper than 32 levels", 1),
        ("- " * 20_000, "nested deeper than 32 levels", 1),
        ("x: 1\n" + "".join(f"{' ' * n}a:\n" for n in range(40)), "nested deeper than 32 levels", 34),
        ("? " * 20_000, "a key must be text", 1),
        (LAUGHS, "the anchor &a0 is not accepted", 1),
        (MERGES, "the anchor &a0 is not accepted", 1),
        ("&a [*a]", "the anchor &a is not accepted", 1),
        ("a: 1\nb: &x 2", "the anchor &x is not accepted", 2),
        ("a: 1\nb: *x", r"the alias \*x is not accepted", 2),
        ("a: 1\n*x : 2", r"the alias \*x is not accepted", 2),
        ("- &a 1\n" * 300_000, "the anchor &a is not accepted", 1),
        ("a: 1\n<<: {b: 2}", "the merge key << is not accepted", 2),
        ("!!python/object/apply:os.system [id]", "the tag tag:yaml.org,2002:python/object/apply:os.system", 1),
        ("a: 1\nb: !!binary aGk=", "the tag tag:yaml.org,2002:binary is not accepted", 2),
        ("!!set {a}", "the tag tag:yaml.org,2002:set is not accepted", 1),
        ("a: !mine b", "the tag !mine is not accepted", 1),
        ("a: ! b", "the tag ! is not accepted", 1),
        ("!!str a: 1", "the tag tag:yaml.org,2002:str is not accepted", 1),
        ("title: a\nlevel: low\ntitle: b", "the key 'title' is there twice", 3),
        ("a:\n  - b: 1\n    'b': 2", "the key 'b' is there twice", 3),
        ("? [a]\n: b", "a key must be text", 1),
        ("? {a: 1}\n: b", "a key must be text", 1),
        ("- a\n" * 60_000, "more than 50,000 values in one file", 50_000),
        ("---\n" * 1_000, "more than 200 documents in one file", 201),
        ("a: 1\nb: [", "not YAML: did not find expected node content", 2),
        ("a:\n\t- b", "not YAML: found character that cannot start any token", 2),
        ('a: "\\ud800"', "not YAML: found invalid Unicode character escape code", 1),
        ("a: 1\nb: \x00", r"not YAML: control characters are not allowed \(U\+0000\)", 2),
        ("é: 1\nb: \x01", r"not YAML: control characters are not allowed \(U\+0001\)", 2),
        ("a: 1\nb: \ud800", "not Unicode text: a lone surrogate", 2),
        ("<!DOCTYPE html>\n<html>\n<p>a: b: c</p>", "not YAML: mapping values are not allowed", 3),
    ],
    ids=range(34),
)
def test_hostile_or_broken_text_is_refused_with_its_line(text, message, line):
    with pytest.raises(ParseError, match=message) as refused:
        load_documents(text)
    assert refused.value.line == line


def test_text_beyond_the_limit_is_refused_unread():
    with pytest.raises(ParseError, match=r"the file has 8,000,001 characters; at most 8,000,000 are read"):
        load_yaml("x" * 8_000_001)


def test_nesting_up_to_the_limit_loads():
    assert load_yaml("[" * 32 + "]" * 32) is not None


@pytest.mark.parametrize(("text", "found"), [("", "none"), ("# only a comment\n", "none"), ("a: 1\n---\nb: 2", "2")])
def test_one_document_means_exactly_one(text, found):
    with pytest.raises(ParseError, match=f"expected one YAML document, found {found}"):
        load_yaml(text)


def test_documents_come_in_order_and_may_be_anything():
    assert load_documents("---\na: 1\n---\n- b\n---\n...\n---\nc\n") == [{"a": 1}, ["b"], None, "c"]


@pytest.mark.parametrize("text", ["a: 1\r\nb: x\r\n", "\ufeffa: 1\nb: x\n", "a: 1\u2028b: x", "{a: 1, b: x}"])
def test_line_breaks_and_byte_order_mark_make_no_difference(text):
    assert load_yaml(text) == {"a": 1, "b": "x"}


def test_section_is_the_text_between_two_top_level_keys():
    text = "id: 1\ndetection:\r\n    sel: 'ä'   # why\n    # note\n    other:\n      detection: x\n\nlevel: low\n"
    (document,) = read_documents(text)
    assert document.section("detection") == text[text.index("detection") : text.index("level")]
    assert document.section("level") == "level: low\n"
    assert document.lines == {"id": 1, "detection": 2, "level": 8}


def test_section_is_not_fooled_by_text_that_looks_like_a_key():
    text = 'description: "first\ndetection: not this\n"\ndetection: {a: b}\nid: 1\n'
    (document,) = read_documents(text)
    assert document.section("detection") == "detection: {a: b}\n"


def test_last_section_ends_with_its_document():
    one, other = read_documents("a: 1\nb: 2\n---\na: 3\n...\n")
    assert (one.section("b"), other.section("a")) == ("b: 2\n", "a: 3\n")
    assert (one.lines, other.lines) == ({"a": 1, "b": 2}, {"a": 4})
