"""The life of a test: which states there are, and every move that is legal. Whatever the table lacks is refused."""

from collections.abc import Mapping
from typing import Final

from django.db.models import TextChoices

from coverage.testing.refusals import IllegalMove


class State(TextChoices):
    """Where a test stands on its way to a decision."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    VALIDATED = "validated", "Validated"
    REJECTED = "rejected", "Rejected"


class Action(TextChoices):
    """What a person does to a test."""

    EDIT = "edit", "edit"
    SUBMIT = "submit", "submit"
    VALIDATE = "validate", "validate"
    REJECT = "reject", "reject"


MOVES: Final[Mapping[tuple[State, Action], State]] = {
    (State.DRAFT, Action.EDIT): State.DRAFT,
    (State.DRAFT, Action.SUBMIT): State.IN_REVIEW,
    (State.IN_REVIEW, Action.VALIDATE): State.VALIDATED,
    (State.IN_REVIEW, Action.REJECT): State.REJECTED,
    (State.REJECTED, Action.EDIT): State.DRAFT,
}
"""(state, action) -> the state after it."""

EDITABLE: Final = tuple(state for state, action in MOVES if action == Action.EDIT)
OPEN: Final = (State.DRAFT, State.IN_REVIEW)
DECIDED: Final = (State.VALIDATED, State.REJECTED)


def possible(state: State) -> list[Action]:
    """What may be done to a test in `state`, in the order of the table."""
    return [action for start, action in MOVES if start == state]


def after(state: State, action: Action) -> State:
    """The state that `action` leads to from `state`. Raises IllegalMove."""
    if (end := MOVES.get((state, action))) is None:
        raise IllegalMove(f"Cannot {action.label} a test that is {state.label.lower()}: {_instead(state)}")
    return end


def _instead(state: State) -> str:
    if choices := possible(state):
        return f"it is possible to {' or '.join(action.label for action in choices)} it."
    return "it is locked, with its evidence. A repeat is a new test."
