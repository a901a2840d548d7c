"""The life of a test: the table of moves, and that the services keep to it whatever they are asked."""

from itertools import product

import pytest

from aegis.accounts.tests.factories import make_user
from aegis.audit.models import AuditLog
from catalog.tests.factories import make_rule
from coverage.models import Test
from coverage.services.decisions import archive_test, reject_test, submit_test, validate_test
from coverage.services.recording import Fact, edit_test, set_outcomes, set_rules
from coverage.services.shown import shown_hash
from coverage.testing.refusals import IllegalMove, NotAllowed, StaleVersion
from coverage.testing.workflow import MOVES, Action, State, after, possible
from coverage.tests.factories import make_test

LEGAL = {
    ("draft", "edit"): "draft",
    ("draft", "submit"): "in_review",
    ("in_review", "validate"): "validated",
    ("in_review", "reject"): "rejected",
    ("rejected", "edit"): "draft",
}
EVERY_MOVE = list(product(State, Action))


def carry_out(action: str, test: Test) -> Test:
    """The action by an admin who has nothing to do with the test: only the state can stand in the way."""
    admin = make_user("admin")
    match action:
        case "edit":
            return edit_test(by=admin, test=test, changes={"target": "another host"})
        case "submit":
            return submit_test(by=admin, test=test)
        case "validate":
            return validate_test(by=admin, test=test)
        case _:
            return reject_test(by=admin, test=test, note="No.")


def trail_of(test: Test) -> list[str]:
    trail = AuditLog.objects.filter(object_type="coverage.test", object_id=str(test.pk))
    return list(trail.order_by("id").values_list("action", flat=True))


def rows(test: Test) -> dict:
    return dict(Test.objects.filter(pk=test.pk).values().get())


@pytest.mark.parametrize(("state", "action"), EVERY_MOVE)
def test_table_allows_five_moves_and_no_other(state, action):
    if (state, action) in LEGAL:
        assert after(state, action) == LEGAL[state, action]
        assert action in possible(state)
    else:
        with pytest.raises(IllegalMove, match=f"Cannot {action} a test that is {state.label.lower()}"):
            after(state, action)


def test_table_is_the_one_of_the_domain():
    assert {(state.value, action.value): end.value for (state, action), end in MOVES.items()} == LEGAL


@pytest.mark.django_db
@pytest.mark.parametrize(("state", "action"), EVERY_MOVE)
def test_illegal_move_changes_nothing(state, action):
    test = make_test(state=state)
    if (state, action) in LEGAL:
        assert carry_out(action, test).state == LEGAL[state, action]
        return
    before, trail = rows(test), trail_of(test)
    with pytest.raises(IllegalMove) as refusal:
        carry_out(action, test)
    assert (rows(test), trail_of(test)) == (before, trail)
    assert all(possibility.label in str(refusal.value) for possibility in possible(state))


@pytest.mark.django_db
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", [*Action, "archive"])
def test_archived_test_stays_as_it_is(state, action):
    test = archive_test(by=make_user("blue_lead"), test=make_test(state=state))
    before = rows(test)
    with pytest.raises(IllegalMove, match="archived"):
        archive_test(by=make_user("admin"), test=test) if action == "archive" else carry_out(action, test)
    assert rows(test) == before


@pytest.mark.django_db
def test_validated_test_is_locked_with_its_facts_and_rules():
    author = make_user("blue_tech")
    test = make_test(by=author, state="validated", outcome="alerted")
    for refused in (
        lambda: set_outcomes(by=author, test=test, facts=[]),
        lambda: set_rules(by=author, test=test, rules=[]),
        lambda: edit_test(by=author, test=test, changes={}),
    ):
        with pytest.raises(IllegalMove, match="locked"):
            refused()
    assert [fact.kind for fact in test.outcomes.all()] == ["alerted"]


@pytest.mark.django_db
def test_rejected_test_is_a_draft_again_when_edited_and_keeps_the_reason():
    author = make_user("red_tech")
    test = make_test(by=author, state="rejected")
    test = edit_test(by=author, test=test, changes={"procedure": "More of it."})
    assert (test.state, test.decision_note) == ("draft", "Not enough to go by.")


@pytest.mark.django_db
def test_edit_that_changes_nothing_writes_nothing():
    author = make_user("red_tech")
    test = make_test(by=author, state="rejected")
    same = edit_test(by=author, test=test, changes={"name": test.name, "target": ""})
    assert (same.state, same.version) == ("rejected", test.version)


@pytest.mark.django_db
def test_stale_version_is_told_who_did_what_and_when():
    author, lead = make_user("red_tech"), make_user("red_lead", username="lena")
    test = make_test(by=author, state="in_review")
    validate_test(by=lead, test=test, version=test.version)
    with pytest.raises(StaleVersion, match=r"lena validated it at 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"):
        reject_test(by=make_user("blue_lead"), test=test, version=test.version, note="No.")
    with pytest.raises(IllegalMove, match="Last write: lena validated it at"):
        reject_test(by=make_user("blue_lead"), test=test, note="No.")


@pytest.mark.django_db
def test_every_write_counts_the_version_up_by_one():
    author = make_user("admin")
    test = make_test(by=author)
    versions = [
        test.version,
        edit_test(by=author, test=test, changes={"target": "host"}, version=1).version,
        set_outcomes(by=author, test=test, facts=[Fact(kind="logged")], version=2).version,
        submit_test(by=author, test=test, version=3).version,
        validate_test(by=make_user("red_lead"), test=test, version=4).version,
        archive_test(by=make_user("red_lead"), test=test, version=5).version,
    ]
    assert versions == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db
@pytest.mark.parametrize("state", ["validated", "rejected"])
def test_decision_keeps_the_hash_of_what_was_shown(state):
    test = make_test(state="in_review", outcome="alerted")
    shown = shown_hash(test)
    decided = carry_out("validate" if state == "validated" else "reject", test)
    assert decided.decided_on_hash == shown == shown_hash(Test.objects.get(pk=test.pk))


@pytest.mark.django_db
def test_hash_of_what_is_shown_moves_with_every_field_that_is_shown():
    author = make_user("admin")
    test = make_test(by=author)
    hashes = [
        shown_hash(test),
        shown_hash(edit_test(by=author, test=test, changes={"target": "host"})),
        shown_hash(edit_test(by=author, test=test, changes={"blue_notes": "Seen late."})),
        shown_hash(edit_test(by=author, test=test, changes={"expected_outcome": "logged"})),
        shown_hash(set_outcomes(by=author, test=test, facts=[Fact(kind="logged")])),
        shown_hash(set_outcomes(by=author, test=test, facts=[Fact(kind="logged", tool="Sensor")])),
        shown_hash(set_rules(by=author, test=test, rules=[make_rule("T1059")])),
    ]
    assert len(set(hashes)) == len(hashes)


@pytest.mark.django_db
def test_each_step_leaves_its_trace():
    author, lead = make_user("red_tech"), make_user("red_lead")
    test = make_test(by=author, lead=lead, state="validated", outcome="alerted")
    trail = AuditLog.objects.filter(object_type="coverage.test", object_id=str(test.pk)).order_by("id")
    assert [(row.actor_name, row.action) for row in trail] == [
        (author.username, "test.created"),
        (author.username, "test.edited"),
        (author.username, "test.submitted"),
        (lead.username, "test.validated"),
    ]
    assert trail.last().before == {"state": "in_review"}
    assert trail.last().after == {
        "state": "validated",
        "decided_on_hash": test.decided_on_hash,
        "coverage": {"T1059": "validated"},
    }


@pytest.mark.django_db
def test_viewer_and_strangers_may_not_write():
    test = make_test(by=make_user("red_tech"))
    with pytest.raises(NotAllowed, match="Your role"):
        edit_test(by=make_user("viewer"), test=test, changes={"name": "Mine"})
    with pytest.raises(NotAllowed, match="Only its creator"):
        edit_test(by=make_user("red_tech"), test=test, changes={"name": "Mine"})
