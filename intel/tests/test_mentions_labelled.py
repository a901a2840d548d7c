"""How well mentions are found in sentences that people have labelled, and how fast."""

import gc
import random
import re
import sys
from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path
from statistics import median
from time import process_time

import pytest

from intel.mentions import CONFIDENT, Mention, Term, Vocabulary
from intel.tests.labelled import Item, Label, items
from intel.tests.names import vocabulary_of_the_sentences
from intel.tests.real_names import real_vocabulary

pytestmark = pytest.mark.long
KINDS = {"T": "technique", "G": "actor", "S": "software", "C": "cve"}
ID = re.compile(r"T\d{4}(?:[./]\d{3})?|[GS]\d{4}|CVE-\d{4}-\d{4,}", re.IGNORECASE)
RIGHT, WRONG, MISSED = "right", "wrong", "missed"


@pytest.fixture(scope="module")
def small() -> Vocabulary:
    return vocabulary_of_the_sentences()


@pytest.fixture(scope="module")
def whole(mirror: Path) -> Vocabulary:
    return real_vocabulary(mirror)


def test_at_least_two_hundred_sentences_are_labelled_and_many_say_nothing():
    unmarked = [item for item in items() if not item.labels]
    assert len(items()) >= 200
    assert len(unmarked) >= 100
    assert sum(item.held_out for item in items()) >= len(items()) / 4


def test_precision_and_recall_of_techniques(small: Vocabulary, capsys: pytest.CaptureFixture[str]):
    _hold(small, "the names in the sentences", capsys)


def test_precision_and_recall_of_techniques_with_the_whole_release(
    whole: Vocabulary, capsys: pytest.CaptureFixture[str]
):
    _hold(whole, "the whole release", capsys)


def test_every_id_is_found(small: Vocabulary):
    missed = [
        (item.line, label.key)
        for item in items()
        for label in item.labels
        if _is_id(item.text[label.start : label.end]) and not _is_found(label, _confident(small, item))
    ]
    assert missed == []
    assert sum(_is_id(item.text[label.start : label.end]) for item in items() for label in item.labels) >= 50


def test_ten_thousand_items_take_less_than_twenty_seconds(whole: Vocabulary, capsys: pytest.CaptureFixture[str]):
    feed = [_prose(random.Random(number), 650) for number in range(10_000)]
    seconds = _seconds(whole, feed)
    articles = _seconds(whole, [_prose(random.Random(number), 6_500) for number in range(300)])
    with capsys.disabled():
        sys.stdout.write(
            f"\n10,000 items of 650 characters: {seconds:.1f} s; an article of 6,500: {articles / 300 * 1000:.1f} ms\n"
        )
    assert seconds < 20


def test_time_grows_with_the_text_and_not_with_the_vocabulary(small: Vocabulary):
    once, twice = _prose(random.Random(6), 30_000), _prose(random.Random(6), 60_000)
    large = Vocabulary(_made_up_terms())
    for vocabulary in (small, large):
        assert _ratio((vocabulary, twice), (vocabulary, once)) <= 2.6
    assert _ratio((large, once), (small, once)) <= 1


def _hold(vocabulary: Vocabulary, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    counts = {held_out: _counts(vocabulary, held_out=held_out) for held_out in (False, True)}
    both = counts[False] + counts[True]
    with capsys.disabled():
        sys.stdout.write(f"\nMentions, with {what}:\n")
        for name, count in (("tuned on", counts[False]), ("held out", counts[True]), ("all", both)):
            sys.stdout.writelines(_line(name, count, kind) for kind in KINDS.values())
    assert _share(both, "technique", WRONG) >= 0.97
    assert _share(both, "technique", MISSED) >= 0.90
    assert _share(counts[True], "technique", WRONG) >= 0.97
    assert _share(counts[True], "technique", MISSED) >= 0.90
    assert _share(both, "actor", WRONG) >= 0.95
    assert _share(both, "software", WRONG) >= 0.95


def _counts(vocabulary: Vocabulary, *, held_out: bool) -> Counter[tuple[str, str]]:
    """Confident mentions that are right or wrong and labels that are missed, by kind."""
    counts: Counter[tuple[str, str]] = Counter()
    for item in items():
        if item.held_out != held_out:
            continue
        mentions = _confident(vocabulary, item)
        for mention in mentions:
            right = any(_is_found(label, [mention]) for label in item.labels)
            counts[mention.kind, RIGHT if right else WRONG] += 1
        for label in item.labels:
            counts[KINDS[label.key[0]], MISSED] += not _is_found(label, mentions)
    return counts


def _confident(vocabulary: Vocabulary, item: Item) -> list[Mention]:
    return [mention for mention in vocabulary.find(item.text) if mention.confidence >= CONFIDENT]


def _is_found(label: Label, mentions: list[Mention]) -> bool:
    return any(one.key == label.key and one.start < label.end and label.start < one.end for one in mentions)


def _is_id(text: str) -> bool:
    return bool(ID.fullmatch(text))


def _share(counts: Counter[tuple[str, str]], kind: str, against: str) -> float:
    """Precision (against what is wrong) or recall (against what is missed)."""
    right = counts[kind, RIGHT]
    return right / ((right + counts[kind, against]) or 1)


def _line(name: str, counts: Counter[tuple[str, str]], kind: str) -> str:
    numbers = ", ".join(f"{counts[kind, what]} {what}" for what in (RIGHT, WRONG, MISSED))
    precision, recall = _share(counts, kind, WRONG), _share(counts, kind, MISSED)
    return f"  {name}: {kind:9} precision {precision:.3f}, recall {recall:.3f} ({numbers})\n"


@cache
def _sentences() -> tuple[str, ...]:
    return tuple(item.text for item in items())


def _prose(dice: random.Random, length: int) -> str:
    """About `length` characters of labelled sentences in any order."""
    parts: list[str] = []
    while sum(map(len, parts)) < length:
        parts.append(dice.choice(_sentences()))
    return " ".join(parts)


def _seconds(vocabulary: Vocabulary, texts: list[str]) -> float:
    """Processor time for finding the mentions in all texts."""
    start = process_time()
    for text in texts:
        vocabulary.find(text)
    return process_time() - start


def _ratio(one: tuple[Vocabulary, str], other: tuple[Vocabulary, str]) -> float:
    """How many times as long the one takes as the other: the median of several turns, for a machine is slow by spells that hold
    both of a turn up.
    """
    gc.collect()
    gc.disable()
    try:
        turns = [[_seconds(vocabulary, [text] * 3) for vocabulary, text in (one, other)] for _ in range(15)]
    finally:
        gc.enable()
    return median(long / short for long, short in turns)


def _made_up_terms() -> list[Term]:
    """As many names as the real release has: 691 techniques, 742 of actors, 787 of software."""
    words = ["".join(letters) for letters in product("bdfgklmnprstvz", "aeiou", "bdfgklmnprstvz", "aeiou")]
    techniques = [Term(f"{one} Zuxing", "technique", f"T{2000 + number}") for number, one in enumerate(words[:691])]
    actors = [Term(f"{one.title()} Quail", "actor", f"G{2000 + number}") for number, one in enumerate(words[691:1433])]
    software = [Term(f"{one}Xqz", "software", f"S{2000 + number}") for number, one in enumerate(words[1433:2220])]
    return techniques + actors + software
