"""What a page offers on a test: what the policy allows this user, and the state of the test allows now."""

from collections.abc import Mapping
from typing import Final

from aegis.accounts.models import User
from aegis.accounts.policy import allows
from coverage.models import Test
from coverage.testing.workflow import MOVES, Action, State

NEEDS: Final[Mapping[str, Action]] = {
    "evidence.add": Action.EDIT,
    "test.assess": Action.EDIT,
    "test.decide": Action.VALIDATE,
    "test.edit": Action.EDIT,
    "test.execute": Action.EDIT,
    "test.submit": Action.SUBMIT,
}
"""Action of the policy -> the move that it takes."""


def offered(user: User, test: Test) -> frozenset[str]:
    """The actions of the policy that would succeed now: what has a button."""
    if test.is_archived:
        return frozenset()
    fitting = {action for action, move in NEEDS.items() if (State(test.state), move) in MOVES}
    return frozenset(action for action in fitting | {"test.archive"} if allows(user, action, test))
