"""What the test page says in words: what happens next, and why a visitor does not get a button."""

from aegis.accounts.models import User
from aegis.accounts.policy import ACTIONS, is_impartial
from coverage.models import Test, TestInvolvement
from coverage.testing.workflow import State

DEEDS = {
    TestInvolvement.Kind.CREATED: "created",
    TestInvolvement.Kind.EDITED: "edited",
    TestInvolvement.Kind.EXECUTED: "executed",
    TestInvolvement.Kind.ASSESSED: "assessed",
    TestInvolvement.Kind.EVIDENCE: "gave evidence to",
}


def standing(user: User, test: Test, offers: frozenset[str]) -> list[str]:
    """Why the test cannot be moved or edited by this visitor, or who has to do what next. Empty where all is on offer."""
    if test.archived_at:
        return [f"Archived on {test.archived_at:%Y-%m-%d} by {test.updated_by.get_username()}: it counts for nothing."]
    if test.state == State.VALIDATED:
        return ["A validated test is locked, with its evidence. A repeat is a new test."]
    if test.state == State.IN_REVIEW:
        return [_of_decision(user, test, offers)]
    return [*_of_editing(user, offers), _of_handing_in(user, test)]


def _of_decision(user: User, test: Test, offers: frozenset[str]) -> str:
    if "test.decide" in offers:
        return "You had no hand in this test: it waits for your decision."
    if not is_impartial(user, test):
        return f"Four eyes: you {_deeds(user, test)} this test, so somebody else has to decide on it."
    return "It waits for a lead or an admin who had no hand in it. Until then nobody can edit it."


def _of_editing(user: User, offers: frozenset[str]) -> list[str]:
    if offers & {"test.execute", "test.assess"}:
        return []
    if user.role not in ACTIONS["test.edit"]:
        return [f"As {user.get_role_display()} you read tests; techs and admins write them."]
    return ["Only its creator, those involved, the campaign's participants and admins may edit this test."]


def _of_handing_in(user: User, test: Test) -> str:
    if user.role in ACTIONS["test.decide"] and not is_impartial(user, test):
        return f"Four eyes: you {_deeds(user, test)} this test, so somebody else has to decide on it."
    if test.state == State.REJECTED:
        return "An edit makes it a draft again; then it can be submitted once more."
    return "Once it is in review, a lead or an admin who took no part validates or rejects it."


def _deeds(user: User, test: Test) -> str:
    kinds = {involvement.kind for involvement in test.involvements.all() if involvement.user_id == user.pk}
    if test.created_by_id == user.pk:
        kinds.add(TestInvolvement.Kind.CREATED)
    words = [word for kind, word in DEEDS.items() if kind in kinds]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
