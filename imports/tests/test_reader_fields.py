"""Typed fields: the wrong type is refused by name and line, and nothing is turned into text silently."""

import pytest

from imports.readers.fields import Fields
from imports.upstream import ParseError

VALUES = {
    "text": "a",
    "blank": "  ",
    "null": None,
    "number": 7,
    "huge": 16**4_000,
    "ratio": 1.5,
    "flag": True,
    "list": ["a", None, "b"],
    "mapping": {"name": "n", "numbers": [1]},
    "threats": [{"tactic": {"name": 5}}],
}
FIELDS = Fields(VALUES, lines={"text": 1, "number": 4, "list": 6})


def test_values_of_the_right_type_come_as_they_are():
    assert FIELDS.text("text") == "a"
    assert FIELDS.texts("list") == ("a", "b")
    assert FIELDS.text_or_texts("text") == ("a",)
    assert FIELDS.integer("number") == 7
    assert FIELDS.flag("flag") is True
    assert FIELDS.fields("mapping").text("name") == "n"
    assert [FIELDS.written(key) for key in ("text", "number", "ratio", "flag")] == ["a", "7", "1.5", "true"]
    assert "text" in FIELDS
    assert "null" not in FIELDS


@pytest.mark.parametrize("key", ["null", "absent"])
def test_null_and_absent_are_nothing(key):
    assert FIELDS.optional_text(key) == ""
    assert FIELDS.texts(key) == ()
    assert FIELDS.integer(key) is None
    assert FIELDS.written(key) is None
    assert FIELDS.flag(key) is False
    assert FIELDS.fields(key).values == {}
    assert FIELDS.each(key) == []


@pytest.mark.parametrize(
    ("spelling", "flag"), [("True", True), ("yes", True), ("ON", True), ("no", False), ("FALSE", False)]
)
def test_other_spellings_of_yes_and_no_are_flags(spelling, flag):
    assert Fields({"a": spelling}).flag("a") is flag


@pytest.mark.parametrize(
    ("read", "message", "line"),
    [
        (lambda: FIELDS.text("absent"), "expected text, found nothing at `absent`", None),
        (lambda: FIELDS.text("blank"), "expected text, found nothing at `blank`", None),
        (lambda: FIELDS.text("list"), "expected text, found a list at `list`", 6),
        (lambda: FIELDS.text("number"), "expected text, found the number 7 at `number`", 4),
        (lambda: FIELDS.optional_text("flag"), "expected text, found true at `flag`", None),
        (lambda: FIELDS.optional_text("huge"), "expected text, found a number that large at `huge`", None),
        (lambda: FIELDS.integer("huge"), "expected a whole number, found a number that large at `huge`", None),
        (lambda: FIELDS.integer("flag"), "expected a whole number, found true at `flag`", None),
        (lambda: FIELDS.integer("ratio"), "expected a whole number, found the number 1.5 at `ratio`", None),
        (lambda: FIELDS.texts("text"), "expected a list, found text at `text`", 1),
        (lambda: FIELDS.texts("threats"), "expected text, found a mapping at `threats[0]`", None),
        (lambda: FIELDS.written("list"), "expected text or a number, found a list at `list`", 6),
        (lambda: FIELDS.flag("text"), "expected true or false, found text at `text`", 1),
        (lambda: FIELDS.fields("list"), "expected a mapping, found a list at `list`", 6),
        (lambda: FIELDS.each("list"), "expected a mapping, found text at `list[0]`", None),
        (
            lambda: FIELDS.fields("mapping").texts("numbers"),
            "expected text, found the number 1 at `mapping.numbers[0]`",
            None,
        ),
        (
            lambda: FIELDS.each("threats")[0].fields("tactic").text("name"),
            "expected text, found the number 5 at `threats[0].tactic.name`",
            None,
        ),
        (lambda: Fields.of([]), "expected a mapping, found a list at the top level", None),
    ],
)
def test_wrong_type_is_refused_with_its_place(read, message, line):
    with pytest.raises(ParseError) as refused:
        read()
    assert (refused.value.message, refused.value.line) == (message, line)
