"""The TOML reader: what TOML's own loader gives, behind bounds."""

import datetime
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.readers.toml import load_toml
from imports.upstream import ParseError

HUNDREDS_OF_PARTS = ".".join(["a"] * 200)
LONG_LITERAL = "dots = '''\n" + "1.3.6.1.4.1.311.20.2.2.1.5.6.7.8\n" * 20 + "'''\n"


def test_values_keep_their_types():
    text = 'a = "x"\nb = 7\nc = 1.5\nd = true\ne = 2024-01-31\n[f]\ng = ["h"]\n'
    assert load_toml(text) == {
        "a": "x",
        "b": 7,
        "c": 1.5,
        "d": True,
        "e": datetime.date(2024, 1, 31),
        "f": {"g": ["h"]},
    }


def test_literal_text_with_an_escape_look_alike_is_byte_exact():
    assert load_toml("query = '''\na \\u0000 b\n'''") == {"query": "a \\u0000 b\n"}


@pytest.mark.parametrize("text", [LONG_LITERAL, 'a = "' + "x" * 60_000 + '"', "a = '" + ". " * 5_000 + "'"])
def test_long_text_with_dots_is_no_long_name(text):
    assert load_toml(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a = " + "[" * 5_000, "not readable: nested too deep", None),
        ("a = " + "{a=" * 5_000, "not readable: nested too deep", None),
        (".".join(["a"] * 5_000) + " = 1", "a dotted name of more than 20 parts is not accepted", 1),
        ("x = 1\n" * 3 + f"{HUNDREDS_OF_PARTS} = 1\n" * 3_000, "a dotted name of more than 20 parts", 4),
        (f"[{HUNDREDS_OF_PARTS}]", "a dotted name of more than 20 parts", 1),
        (f"x = {{{HUNDREDS_OF_PARTS} = 1}}", "a dotted name of more than 20 parts", 1),
        (" . ".join(["'a'", '"b"'] * 100) + " = 1", "a dotted name of more than 20 parts", 1),
        ("a = 1\nb = '" + "x" * 65_536 + "'", "a line of more than 65,536 characters is not accepted", 2),
        ("a = " + "9" * 5_000, "not TOML: Exceeds the limit", None),
        ("a = 1\n[b]\n[b]\n", "not TOML: Cannot declare", 3),
        ("a = 1\na = 2", "not TOML: Cannot overwrite a value", 2),
        ("a = 1\nb =", "not TOML: Invalid value", 2),
        ('a = "\\ud800"', "not TOML: Escaped character is not a Unicode scalar value", 1),
        ("<html>\n", "not TOML: Invalid statement", 1),
        ("a = 'x\x00'", "not TOML: Found invalid character", 1),
        ("a = '\ud800'\nb = 2024-13-99", "not TOML", 2),
        ("#" * 1_000 + "\n" * 1_500_000, "the file has 1,501,000 characters; at most 1,500,000 are read", None),
    ],
    ids=range(17),
)
def test_hostile_or_broken_text_is_refused(text, message, line):
    with pytest.raises(ParseError, match=message) as refused:
        load_toml(text)
    assert refused.value.line == line


TOML_PIECES = [*"ab1.=[]{}'\"#,- \n\n\\", "'''", '"""', "2024-01-31", "true"]
TOML_LOOKALIKES = st.lists(st.sampled_from(TOML_PIECES), max_size=30).map("".join)


@given(text=TOML_LOOKALIKES)
def test_any_text_ends_in_a_parse_error_or_in_what_tomllib_gives(text):
    try:
        ours = load_toml(text)
    except ParseError:
        with pytest.raises(ValueError, match=r".+"):
            tomllib.loads(text)
    else:
        assert ours == tomllib.loads(text)
