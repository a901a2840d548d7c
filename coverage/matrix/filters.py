"""Which techniques the filters of the matrix leave. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from coverage.matrix.facts import Entry, MatrixFacts, Proof
from coverage.matrix.overlay_rows import OUTCOME
from coverage.matrix.query import MatrixQuery
from coverage.techniques.status import Status

YEAR = 365


@dataclass(frozen=True)
class Sieve:
    """The filters of a query, over what is known: `marked` by an overlay, and `annotated` with a rule or a template."""

    facts: MatrixFacts
    query: MatrixQuery
    proofs: Mapping[str, Proof]
    marked: Collection[str]
    annotated: Collection[str]

    def matching(self) -> set[str]:
        """The ids of the techniques that every filter leaves."""
        left = {entry.mitre_id for entry in self.facts.techniques if self._is_listed(entry)}
        for allowed in self._allowed():
            left &= allowed
        return left

    def _is_listed(self, entry: Entry) -> bool:
        """By platform and search. Who searches for a parent finds its sub-techniques too."""
        if self.query.platform and self.query.platform not in entry.platforms:
            return False
        parent = self.facts.by_id.get(entry.parent)
        return not self.query.search or self.is_found(entry) or bool(parent and self.is_found(parent))

    def is_found(self, entry: Entry) -> bool:
        """Whether the search finds a technique by its own id or name."""
        needle = self.query.search.casefold()
        return needle in entry.mitre_id.casefold() or needle in entry.name.casefold()

    def _allowed(self) -> Iterator[set[str]]:
        """For each of the other filters that is set, the ids that it leaves."""
        query, everything = self.query, set(self.facts.by_id)
        if query.status:
            yield {technique for technique in everything if query.status in self._statuses(technique)}
        if query.review:
            yield {technique for technique, proof in self.proofs.items() if proof.review}
        if query.age:
            yield {technique for technique in everything if self._is_of_age(self.proofs.get(technique))}
        if query.outcome:
            yield {row.technique for row in self.facts.laid if row.kind == OUTCOME}
        if query.only and query.overlays:
            yield set(self.marked)
        if query.picked:
            yield everything & query.picked

    def _statuses(self, technique: str) -> set[str]:
        """The status of a technique, and whether it is a proven gap or nothing is known of it."""
        proof = self.proofs.get(technique)
        if proof is None or not proof.says:
            return {Status.NOT_COVERED} if technique in self.annotated else {Status.NOT_COVERED, "unknown"}
        return {proof.status, "proven_gap"} if proof.gap else {proof.status}

    def _is_of_age(self, proof: Proof | None) -> bool:
        """Whether the last proof is as old as asked for."""
        at = proof.proven_at if proof else None
        if self.query.age == "never" or at is None:
            return self.query.age == "never" and at is None
        age = self.facts.now_is - at
        if self.query.age == "older":
            return age > timedelta(days=YEAR)
        return age <= timedelta(days=int(self.query.age))
