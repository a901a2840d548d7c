"""The moves of a test that two people make together: one hands it in, another one decides. And putting a test away."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from aegis.accounts.models import User
from coverage.models import Test
from coverage.services.shown import shown_hash
from coverage.services.writing import last_write, locked, moved, permit, settle, write
from coverage.testing.refusals import IllegalMove
from coverage.testing.workflow import Action


@transaction.atomic
def submit_test(*, by: User, test: Test, version: int | None = None) -> Test:
    """The test in review. Raises NotAllowed, StaleVersion, IllegalMove."""
    test = locked(test, version)
    permit(by, "test.submit", test)
    before = test.state
    state = moved(test, Action.SUBMIT)
    write(test, by, "submitted", {"state": state, "submitted_by": by, "submitted_at": timezone.now()})
    settle(by, test, "submitted", before={"state": before}, after={"state": state})
    return test


def validate_test(*, by: User, test: Test, version: int | None = None, note: str = "") -> Test:
    """The test validated by somebody who had no hand in it. Raises NotAllowed, StaleVersion, IllegalMove."""
    return _decide(by=by, test=test, version=version, action=Action.VALIDATE, verb="validated", note=note)


def reject_test(*, by: User, test: Test, note: str, version: int | None = None) -> Test:
    """The test rejected, with the reason. Raises NotAllowed, StaleVersion, IllegalMove, ValidationError without a reason."""
    return _decide(by=by, test=test, version=version, action=Action.REJECT, verb="rejected", note=note)


@transaction.atomic
def archive_test(*, by: User, test: Test, version: int | None = None, note: str = "") -> Test:
    """The test put away: it stays readable with its decision, and counts for nothing any more.

    Raises NotAllowed, StaleVersion, IllegalMove if it is archived already.
    """
    test = locked(test, version)
    permit(by, "test.archive", test)
    if test.is_archived:
        raise IllegalMove(f"This test is archived already: {last_write(test)}.")
    write(test, by, "archived", {"archived_at": timezone.now()})
    settle(by, test, "archived", after={"archived_at": test.archived_at}, note=note)
    return test


@transaction.atomic
def _decide(*, by: User, test: Test, version: int | None, action: Action, verb: str, note: str) -> Test:
    test = locked(test, version)
    permit(by, "test.decide", test)
    before = test.state
    decision = {
        "state": moved(test, action),
        "decided_by": by,
        "decided_at": timezone.now(),
        "decision_note": _note(test, action, note),
        "decided_on_hash": shown_hash(test),
    }
    write(test, by, verb, decision)
    after = {"state": test.state, "decided_on_hash": test.decided_on_hash}
    settle(by, test, verb, before={"state": before}, after=after, note=test.decision_note)
    return test


def _note(test: Test, action: Action, note: str) -> str:
    note = note.strip()
    if action == Action.REJECT and not note:
        raise ValidationError({"note": "Say why: the testers need to know what to change."})
    try:
        return str(test._meta.get_field("decision_note").clean(note, test))
    except ValidationError as error:
        raise ValidationError({"note": error.messages}) from error
