"""The blue half as a page saves it: its fields, the facts and the rules that fired, all or nothing."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from aegis.accounts.models import User
from catalog.models import DetectionRule
from coverage.models import Test
from coverage.services.recording import Fact, edit_test, set_outcomes, set_rules
from coverage.services.writing import locked, permit


@transaction.atomic
def record_blue_half(
    *,
    by: User,
    test: Test,
    changes: Mapping[str, Any],
    facts: Iterable[Fact],
    rules: Iterable[DetectionRule],
    version: int,
) -> Test:
    """The test with these changes, exactly these facts, and exactly these rules as those that fired.

    `version` is what the caller saw; nobody else can write in between. Raises NotAllowed, StaleVersion, IllegalMove,
    ValidationError {field: messages}.
    """
    standing = locked(test, version)
    permit(by, "test.assess", standing)
    if changes:
        standing = edit_test(by=by, test=standing, changes=changes)
    standing = set_outcomes(by=by, test=standing, facts=facts)
    return set_rules(by=by, test=standing, rules=rules)
