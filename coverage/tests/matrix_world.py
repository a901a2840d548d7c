"""Facts of a small matrix, and ways to look at what is put together from them."""

from datetime import UTC, datetime, timedelta

from django.http import QueryDict

from coverage.matrix.assembly import Column, Matrix, assemble
from coverage.matrix.facts import Entry, MatrixFacts, Proof
from coverage.matrix.overlay_rows import Laid, Offer
from coverage.matrix.query import MatrixQuery

TACTICS = (("execution", "Execution"), ("discovery", "Discovery"), ("impact", "Impact"))
SCRIPT = Entry("T1", "Script Interpreter", platforms=("Windows", "Linux"), tactics=("execution",))
SHELL = Entry("T1.001", "Blue Shell", "T1", ("Windows",), ("execution",))
BASH = Entry("T1.002", "Tidy Bash", "T1", ("Linux",), ("execution",))
JOB = Entry("T2", "Booked Job", platforms=("Windows",), tactics=("execution", "discovery"))
QUIET = Entry("T3", "Quiet Thing", platforms=("Linux",), tactics=("discovery",))
FACTS = MatrixFacts(
    release="enterprise-attack 99.1",
    tactics=TACTICS,
    techniques=(SCRIPT, SHELL, BASH, JOB, QUIET),
    # Rule 1 names a parent and its sub-technique, rule 2 a sub-technique twice over, rule 4 two techniques.
    rules=(
        ("T1", {1}, "sigma"),
        ("T1.001", [1, 4], "sigma"),
        ("T1.001", [2, 2], "elastic"),
        ("T2", {4}, "sigma"),
    ),
    templates={"T1": 1, "T1.001": 2, "T2": 3},
    uses=(("G1", "Bear", ("T1.001", "T1.002")), ("G2", "Owl", ("T1", "T3"))),
)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
TRIED = MatrixFacts(
    tactics=TACTICS,
    techniques=(SCRIPT, SHELL, BASH, JOB, QUIET),
    rules=(("T2", {1}, "sigma"),),
    proofs={
        "T1": Proof("partial"),
        "T1.001": Proof("validated", proven=True, met=2, total=2, proven_at=NOW - timedelta(days=20)),
        "T1.002": Proof("not_covered", gap=True, total=1, review=True),
        "T2": Proof("partial", proven=True, met=1, total=3, proven_at=NOW - timedelta(days=400)),
        "T3": Proof("not_covered", review=True),
    },
    laid=(
        Laid("campaign", "7", "T2", 2),
        Laid("campaign", "7", "T9999", 1),
        Laid("framework", "nist", "T1.002", 1),
        Laid("layer", "3", "T2", 4.5, "seen twice"),
        Laid("outcome", "missed", "T1.002", 1),
    ),
    offers=(Offer("campaign", "7", "Spring"), Offer("framework", "nist", "NIST"), Offer("layer", "3", "Mine")),
    now_is=NOW,
)


def drawn(query: str = "", facts: MatrixFacts = FACTS) -> Matrix:
    return assemble(facts, MatrixQuery.of(QueryDict(query)))


def column(matrix: Matrix, name: str) -> Column:
    return next(column for column in matrix.columns if column.name == name)


def names(column: Column) -> list[str]:
    return [family.cell.name for family in column.families]


def subs(matrix: Matrix, technique: str = "T1") -> list[str]:
    families = [family for column in matrix.columns for family in column.families if family.cell.mitre_id == technique]
    return [cell.name for family in families for cell in family.subs]


def open_families(query: str, facts: MatrixFacts = FACTS) -> set[tuple[str, str]]:
    return {
        (column.shortname, family.cell.mitre_id)
        for column in drawn(query, facts).columns
        for family in column.families
        if family.is_open
    }
