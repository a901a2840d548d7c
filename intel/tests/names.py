"""The vocabulary of the labelled sentences, without the real release."""

from pathlib import Path
from typing import Final

from intel.mentions import OldId, Term, Vocabulary

FILE: Final = Path(__file__).with_name("mentions_names.txt")
OLD_IDS: Final = {"T1086": OldId("T1059.001", "revoked-by"), "T1193": OldId("T1566.001", "revoked-by")}


def vocabulary_of_the_sentences() -> Vocabulary:
    """Every name that stands in a labelled sentence, whether it is marked there or not."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return Vocabulary([term for line in lines if not line.startswith("#") for term in _terms(line)], OLD_IDS)


def _terms(line: str) -> list[Term]:
    kind, key, names, *tactics = line.split(" | ")
    return [Term(name, kind, key, tuple("; ".join(tactics).split("; "))) for name in names.split("; ")]
