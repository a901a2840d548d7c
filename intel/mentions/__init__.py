"""Finds ATT&CK techniques, actors, software and CVE ids in a text: pure, one pass, each mention with its reason."""

from intel.mentions.terms import CONFIDENT, Mention, OldId, Term
from intel.mentions.vocabulary import Vocabulary

__all__ = ["CONFIDENT", "Mention", "OldId", "Term", "Vocabulary"]
