"""The coverage status of a technique: what its tests, and those of its sub-techniques, amount to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import TextChoices

from coverage.testing.outcomes import Verdict


class Status(TextChoices):
    """How far a technique is covered; never typed, always derived."""

    NOT_COVERED = "not_covered", "Not covered"
    IN_PROGRESS = "in_progress", "In progress"
    PARTIAL = "partial", "Partial"
    VALIDATED = "validated", "Validated"


@dataclass(frozen=True, slots=True)
class TestSays:
    """What one test that is not archived says; `decided_at` is the time of its last decision, if there was one."""

    verdict: Verdict
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The coverage of one technique. `status` takes its sub-techniques in; everything else is about its own tests alone.

    `proven_gap`: validated tests missed, and none met its expectation. `proven`: a validated test saw what it expected, and
    `last_proven_at` is its decision. `tests_attested` were validated without an outcome: good for the status, proof of nothing.
    """

    status: Status = Status.NOT_COVERED
    proven_gap: bool = False
    proven: bool = False
    last_proven_at: datetime | None = None
    last_validated_at: datetime | None = None
    tests_total: int = 0
    tests_validated: int = 0
    tests_met: int = 0
    tests_attested: int = 0


SETTLED = (Verdict.MET, Verdict.ATTESTED, Verdict.MISSED)
GOOD = (Verdict.MET, Verdict.ATTESTED)


def coverage_of(tests: Sequence[TestSays], subtechniques: Sequence[Status] = ()) -> Coverage:
    """The coverage of a technique, from its tests that are not archived and its active sub-techniques' statuses.

    Own tests and sub-techniques are the parts of a parent; without tests of its own its sub-techniques are all its parts.
    """
    own = own_status(tests)
    parts = [*([own] if tests or not subtechniques else []), *subtechniques]
    validated = [test for test in tests if test.verdict in SETTLED]
    proofs = [test for test in validated if test.verdict == Verdict.MET]
    good = [test for test in validated if test.verdict in GOOD]
    return Coverage(
        status=combined(parts),
        proven_gap=bool(validated) and not good,
        proven=bool(proofs),
        last_proven_at=_latest(proofs),
        last_validated_at=_latest(validated),
        tests_total=len(tests),
        tests_validated=len(validated),
        tests_met=len(proofs),
        tests_attested=len(good) - len(proofs),
    )


def own_status(tests: Sequence[TestSays]) -> Status:
    """The status by the tests of one technique alone."""
    if not tests:
        return Status.NOT_COVERED
    verdicts = {test.verdict for test in tests}
    if verdicts.isdisjoint(SETTLED):
        return Status.IN_PROGRESS
    pending = _is_pending(tests)
    if verdicts.isdisjoint(GOOD):
        return Status.IN_PROGRESS if pending else Status.NOT_COVERED
    return Status.PARTIAL if pending or Verdict.MISSED in verdicts else Status.VALIDATED


def combined(parts: Iterable[Status]) -> Status:
    """The status of a whole from those of its parts; of one part, its own."""
    found = set(parts)
    if found == {Status.VALIDATED}:
        return Status.VALIDATED
    if found & {Status.VALIDATED, Status.PARTIAL}:
        return Status.PARTIAL
    return Status.IN_PROGRESS if Status.IN_PROGRESS in found else Status.NOT_COVERED


def _is_pending(tests: Sequence[TestSays]) -> bool:
    """Whether a test is open, or was rejected at or after the last validation: an older rejection has been answered by it."""
    since = _latest(test for test in tests if test.verdict in SETTLED)
    return any(
        test.verdict == Verdict.OPEN
        or (test.verdict == Verdict.REJECTED and not (test.decided_at and since and test.decided_at < since))
        for test in tests
    )


def _latest(tests: Iterable[TestSays]) -> datetime | None:
    return max((test.decided_at for test in tests if test.decided_at), default=None)
