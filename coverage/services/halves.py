"""The blue half as a page saves it: its fields, the facts and the rules that fired, all or nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.db import transaction

from aegis.accounts.models import User
from catalog.models import DetectionRule
from coverage.models import Test
from coverage.services.recording import Fact, edit_test, set_outcomes, set_rules
from coverage.services.writing import last_write, locked, permit
from coverage.testing.refusals import StaleVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueChanges:
    """What somebody changed. `seen` is what they saw in the fields, `facts_mark` the `mark_of` the facts; empty: whatever was
    there. `facts` is the whole list, None if it stays.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)
    facts: Sequence[Fact] | None = None
    facts_mark: str = ""
    fired: Collection[DetectionRule] = ()
    silent: Collection[DetectionRule] = ()


@transaction.atomic
def record_blue_half(*, by: User, test: Test, changes: BlueChanges, version: int | None = None) -> Test:
    """The test with these changes; nobody else can write in between.

    Raises NotAllowed, StaleVersion if it is not at `version`, or not as the changes saw it, IllegalMove, ValidationError
    {field: messages}.
    """
    standing = locked(test, version)
    permit(by, "test.assess", standing)
    if changes.fields:
        standing = edit_test(by=by, test=standing, changes=changes.fields, seen=changes.seen)
    if changes.facts is not None:
        _check_facts(test, standing, changes.facts_mark)
        standing = set_outcomes(by=by, test=standing, facts=changes.facts)
    if changes.fired or changes.silent:
        wanted = {*standing.detection_rules.all(), *changes.fired} - set(changes.silent)
        standing = set_rules(by=by, test=standing, rules=wanted)
    return standing


def mark_of(test: Test) -> str:
    """A short mark of the facts that a test has: another one as soon as somebody records something else."""
    rows = sorted(fact.pk for fact in test.outcomes.all())
    return sha256(",".join(map(str, rows)).encode()).hexdigest()[:16]


def _check_facts(test: Test, standing: Test, seen: str) -> None:
    if seen and seen != mark_of(standing):
        raise StaleVersion(f"Somebody recorded what happened since you looked: {last_write(test)}.")
