"""Commands show every character that they hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis.lib.odd_characters import parts


def odd(text: str) -> list[tuple[str, str]]:
    return [(part.text, part.odd) for part in parts(text) if part.odd]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rm \u202e-rf", ("U+202E", "hidden: right-to-left override")),
        ("a\u2066b", ("U+2066", "hidden: left-to-right isolate")),
        ("whoami\u200b", ("U+200B", "hidden: zero width space")),
        ("\ufeffwhoami", ("U+FEFF", "hidden: zero width no-break space")),
        ("a\u00adb", ("U+00AD", "hidden: soft hyphen")),
        ("a\u2028b", ("U+2028", "hidden: line separator")),
        ("a\U000e0041b", ("U+E0041", "hidden: tag latin capital letter a")),
        ("a\u3164b", ("U+3164", "hidden: hangul filler")),
        ("a\u00a0b", ("U+00A0", "not a plain space: no-break space")),
        ("echo ok\rrm", ("U+000D", "hidden: control character")),
        ("\x1b[2K", ("U+001B", "hidden: control character")),
        ("\x7f", ("U+007F", "hidden: control character")),
        ("p\u0430ypal", ("U+0430", "looks like another letter: cyrillic small letter a")),
        ("p\u03bfwershell", ("U+03BF", "looks like another letter: greek small letter omicron")),
        ("\uff4dshta", ("U+FF4D", "looks like another letter: fullwidth latin small letter m")),
    ],
)
def test_character_that_misleads_is_named(text, expected):
    assert odd(text) == [expected]


@pytest.mark.parametrize(
    "text", ["whoami /all\r\n\tdir\n", "echo Grüße – „so“", "echo привет мир", "日本語", "émigré", "naïve café"]
)
def test_plain_text_of_any_language_is_not_odd(text):
    assert [part.text for part in parts(text)] == [text]


@given(st.text())
def test_nothing_is_lost_and_nothing_hidden_is_left(text):
    restored = "".join(chr(int("0x" + part.text[2:], 0)) if part.odd else part.text for part in parts(text))
    assert restored == text
    ordinary = "".join(part.text for part in parts(text) if not part.odd)
    assert not set(ordinary) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200c\u200d\u2060\ufeff\x1b\x00"
    )
