"""How rows are grouped, and other people's texts shortened: without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import DetectionRuleTechnique
from coverage.plain_text import LONGEST_LINE, first_sentence, plain_text
from coverage.techniques.tabs import Said, otherwise, severity_rank


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("[APT1](https://example.org/g) used `net user`.(Citation: A (B) 2020)", "APT1 used net user."),
        ("Run <code>whoami</code><br>and wait.", "Run whoami and wait."),
        ("two\n\nparagraphs", "two paragraphs"),
        ("[not a link] (really)", "[not a link] (really)"),
        ("", ""),
    ],
)
def test_plain_text_keeps_the_words_alone(text, plain):
    assert plain_text(text) == plain


def test_long_words_start_with_their_first_sentence():
    said = Said.by("It runs scripts. " + "And then it does more. " * 20)
    assert said.start == "It runs scripts."
    assert said.text.startswith("It runs scripts. And then")


def test_short_words_stand_whole():
    assert Said.by("It runs scripts. It stops.") == Said("It runs scripts. It stops.", "", "")


@given(st.text(max_size=600))
def test_a_first_sentence_is_never_longer_than_its_line(text):
    plain = plain_text(text)
    start = first_sentence(plain)
    assert len(start) <= LONGEST_LINE
    assert plain.startswith(start.removesuffix("…"))


def test_severities_rank_from_nothing_to_critical():
    assert [severity_rank(word) for word in ("", "informational", "high", "critical")] == [-1, 0, 3, 4]


def test_a_rule_that_also_names_the_technique_itself_needs_no_explanation():
    exact, crossed = (DetectionRuleTechnique(resolution=way) for way in ("exact", "crosswalk"))
    assert otherwise([exact, crossed]) == ()
    assert otherwise([crossed]) == (crossed,)
