"""What holds for the mentions in any text at all."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from intel.mentions import Mention, OldId, Term, Vocabulary

TERMS = [
    Term("Phishing", "technique", "T1566", ("Initial Access",)),
    Term("Spearphishing Link", "technique", "T1566.002", ("Initial Access",)),
    Term("Data Destruction", "technique", "T1485", ("Impact",)),
    Term("Kerberoasting", "technique", "T1558.003", ("Credential Access",)),
    Term("Scheduled Task/Job", "technique", "T1053", ("Execution",)),
    Term("At", "technique", "T1053.002", ("Execution",)),
    Term("Process Doppelgänging", "technique", "T1055.013", ("Defense Evasion",)),
    Term("Impact", "tactic", "TA0040"),
    Term("Initial Access", "tactic", "TA0001"),
    Term("APT29", "actor", "G0016"),
    Term("Cozy Bear", "actor", "G0016"),
    Term("LAPSUS$", "actor", "G1004"),
    Term("Mimikatz", "software", "S0002"),
    Term("Net", "software", "S0039"),
    Term("Agent.btz", "software", "S0092"),
]
VOCABULARY = Vocabulary(TERMS, {"T1192": OldId("T1566.002", "revoked-by")})

NAMES = [text for term in TERMS for text in (term.text, term.key)]
IDS = ["T1192", "t1566.002", "CVE-2024-3400", "techniques/T1566/002/"]
SIGNS = ["attackers", "data ", ". ", "\n\n", " ", "-", "_", "'s", ": ", "e.g. ", "..."]
STRANGE = ["\x00", "\ud800", "\u202e", "\U0001f600", "İ", "ß"]
pieces = st.sampled_from([*NAMES, *IDS, *SIGNS, *STRANGE])
texts = st.lists(st.one_of(pieces, st.text(st.characters(), max_size=8))).map("".join)


@given(texts)
def test_offsets_say_exactly_what_is_written(text: str):
    for mention in VOCABULARY.find(text):
        assert text[mention.start : mention.end] == mention.text != ""
        assert mention.sentence[0] <= mention.start < mention.end
        assert 0 <= mention.confidence <= 1
        assert mention.reason


@given(texts)
def test_mentions_stand_in_order_and_never_overlap(text: str):
    mentions = VOCABULARY.find(text)
    assert all(first.end <= second.start for first, second in pairwise(mentions))


@given(texts, st.lists(st.sampled_from(["garden", "Tuesday", "weather", "bread", "violin"]), min_size=1, max_size=40))
def test_unrelated_text_before_moves_offsets_and_nothing_else(text: str, words: list[str]):
    before = " ".join(words) + ".\n\n"
    assert VOCABULARY.find(before + "Here. " + text) == [
        _moved(mention, len(before)) for mention in VOCABULARY.find("Here. " + text)
    ]


def test_huge_repeated_words_are_no_trouble():
    for word in ("data ", "Data Destruction ", "T1566 ", "CVE-", "Scheduled ", ".", " ", "\n", "! ", "Phishing: "):
        mentions = VOCABULARY.find(word * 20_000)
        assert all(mention.text.strip() == mention.text for mention in mentions)


def _moved(mention: Mention, by: int) -> Mention:
    start, end = mention.sentence
    return Mention(
        mention.kind,
        mention.key,
        mention.start + by,
        mention.end + by,
        mention.text,
        (start + by, end + by),
        mention.confidence,
        mention.reason,
    )
