"""Thousands of tests at once, for measuring: rows in bulk, and then the derived columns by the services that keep them.

`bin/bench.py` plants them in a database of its own; a test does so on a small scale.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from aegis.accounts.models import User
from aegis.accounts.policy import Role
from aegis.accounts.tests.factories import make_user
from catalog.models import Technique
from coverage.models import Campaign, Test, TestInvolvement, TestOutcome
from coverage.services.status import refresh_all
from coverage.testing.outcomes import Outcome, Sighting, headline
from coverage.testing.workflow import DECIDED, State

START: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
STATES: Final = (State.VALIDATED,) * 6 + (State.IN_REVIEW, State.REJECTED, State.DRAFT)
BATCH: Final = 1000
CAMPAIGNS: Final = 20


def plant(number: int, seed: int = 1) -> None:
    """`number` tests over two thirds of the active techniques, in twenty campaigns; the same for the same seed."""
    dice = random.Random(seed)
    by, lead = make_user(Role.RED_TECH), make_user(Role.RED_LEAD)
    campaigns = Campaign.objects.bulk_create(
        Campaign(name=f"Planted campaign {index}", created_by=by) for index in range(CAMPAIGNS)
    )
    known = list(Technique.objects.active().order_by("mitre_id").values_list("mitre_id", flat=True))
    tried = dice.sample(known, max(1, 2 * len(known) // 3))
    tests = [_test(dice, index, dice.choice(tried), campaigns, by, lead) for index in range(number)]
    facts = [(test, list(_facts(dice, test))) for test in tests]
    for test, kinds in facts:
        test.outcome = headline(kinds)
    Test.objects.bulk_create(tests, batch_size=BATCH)
    TestOutcome.objects.bulk_create(
        (TestOutcome(test=test, kind=kind, seen=seen, entered_by=by) for test, kinds in facts for kind, seen in kinds),
        batch_size=BATCH,
    )
    TestInvolvement.objects.bulk_create(
        (TestInvolvement(test=test, user=by, kind=TestInvolvement.Kind.CREATED) for test in tests), batch_size=BATCH
    )
    refresh_all()


def _test(dice: random.Random, index: int, technique: str, campaigns: list[Campaign], by: User, lead: User) -> Test:
    state = dice.choice(STATES)
    start = START + timedelta(hours=dice.randrange(7000))
    decided = state in DECIDED
    return Test(
        technique_id=technique,
        campaign=dice.choice(campaigns),
        position=index,
        name=f"Planted test {index}",
        procedure="What was done, in some words that a list does not read. " * 8,
        started_at=start,
        ended_at=start + timedelta(minutes=20),
        state=state,
        expected_outcome=dice.choice(Sighting.values),
        created_by=by,
        updated_by=by,
        decided_by=lead if decided else None,
        decided_at=start + timedelta(days=1) if decided else None,
        decided_on_hash="0" * 64 if decided else "",
        decision_note="Not enough to go by." if state == State.REJECTED else "",
    )


def _facts(dice: random.Random, test: Test) -> Iterator[tuple[Sighting, bool]]:
    """What was looked for and seen; nothing yet in half of the drafts."""
    if test.state == State.DRAFT and dice.random() < 0.5:
        return
    outcome = dice.choice([kind for kind in Outcome if kind != Outcome.NOT_TESTED])
    for kind in Sighting:
        yield kind, kind.value == outcome.value
