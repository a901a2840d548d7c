"""Handing out assessment results, noted in the audit trail before the first byte leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aegis.accounts.models import User
from aegis.audit.recording import record
from compliance.models import ComplianceFramework
from coverage.oscal.document import document
from coverage.oscal.facts import Assessment
from coverage.oscal.writing import pieces


@dataclass(frozen=True, slots=True)
class Export:
    """A document: what its file is called, and its bytes as they are read."""

    file_name: str
    observations: int
    findings: int
    pieces: Iterator[bytes]


def export_results(by: User | None, framework: ComplianceFramework) -> Export:
    """The assessment results of a framework as they are now. Raises NothingProven."""
    facts = Assessment.now(framework)
    whole = document(facts)
    told = {
        "uuid": whole["assessment-results"]["uuid"],
        "observations": len(facts.results),
        "findings": len(facts.objectives),
    }
    record(by, "oscal.exported", framework, after=told)
    name = f"aegis-{framework.slug}-assessment-results.json"
    return Export(name, told["observations"], told["findings"], pieces(whole))
