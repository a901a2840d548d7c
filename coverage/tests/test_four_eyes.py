"""Four eyes: six roles, five ways to have a hand in a test, and each thing that can be done to it."""

from itertools import product

import pytest
from django.db import transaction

from aegis.accounts.policy import Role, allows
from aegis.accounts.tests.factories import make_user
from coverage.models import Test, TestInvolvement
from coverage.services.decisions import archive_test, reject_test, submit_test, validate_test
from coverage.services.recording import Fact, edit_test, set_outcomes
from coverage.testing.offers import offered
from coverage.testing.refusals import Conflict, NotAllowed
from coverage.tests.factories import make_campaign, make_test

pytestmark = pytest.mark.django_db

DOERS = {"admin", "red_tech", "blue_tech"}
DECIDERS = {"admin", "red_lead", "blue_lead"}
KINDS = ["created", "edited", "executed", "assessed", "evidence"]
ACTIONS = ["test.edit", "test.execute", "test.assess", "test.submit", "evidence.add", "test.decide", "test.archive"]


def having_a_hand(user, kind: str | None, state: str = "in_review") -> Test:
    """A test of somebody else, in which `user` had this hand."""
    if kind == "created":
        test = Test.objects.get(pk=make_test(state=state).pk)
        other = Test.objects.create(
            technique=test.technique, name="Theirs", state=state, created_by=user, updated_by=user
        )
        TestInvolvement.objects.create(test=other, user=user, kind=kind)
        return other
    test = make_test(state=state)
    if kind:
        TestInvolvement.objects.create(test=test, user=user, kind=kind)
    return test


def may(role: str, action: str, *, involved: bool) -> bool:
    """The rule, said once more from the domain's words."""
    if action == "test.archive":
        return role in DECIDERS
    if action == "test.decide":
        return role in DECIDERS and not involved
    own_half = (role, action) in {("red_tech", "test.execute"), ("blue_tech", "test.assess")}
    return role in DOERS and (involved or role == "admin" or own_half)


@pytest.mark.parametrize("kind", [None, *KINDS])
@pytest.mark.parametrize("role", Role.values)
def test_policy_says_so_for_every_role_and_involvement(role, kind):
    user = make_user(role)
    test = having_a_hand(user, kind)
    allowed = {action for action in ACTIONS if allows(user, action, test)}
    assert allowed == {action for action in ACTIONS if may(role, action, involved=kind is not None)}


@pytest.mark.parametrize(("kind", "decide"), list(product(KINDS, [validate_test, reject_test])))
@pytest.mark.parametrize("role", Role.values)
def test_nobody_decides_on_a_test_that_they_had_a_hand_in(role, kind, decide):
    user = make_user(role)
    test = having_a_hand(user, kind)
    reason = "Four eyes" if role in DECIDERS else "Your role"
    with pytest.raises(NotAllowed, match=reason):
        decide(by=user, test=test, note="No.")
    assert Test.objects.get(pk=test.pk).state == "in_review"


@pytest.mark.parametrize(("kind", "state"), list(product(KINDS, ["validated", "rejected"])))
@pytest.mark.parametrize("role", sorted(DECIDERS))
def test_nobody_puts_away_what_was_decided_on_a_test_that_they_had_a_hand_in(role, kind, state):
    user = make_user(role)
    test = having_a_hand(user, kind)
    decide = validate_test if state == "validated" else reject_test
    decide(by=make_user("blue_lead"), test=test, note="So.")
    with pytest.raises(NotAllowed, match="Four eyes"):
        archive_test(by=user, test=test)
    assert Test.objects.get(pk=test.pk).archived_at is None
    assert archive_test(by=make_user("red_lead"), test=test).archived_at is not None


@pytest.mark.parametrize("role", Role.values)
def test_uninvolved_leads_and_admins_decide(role):
    test = make_test(state="in_review")
    if role in DECIDERS:
        assert validate_test(by=make_user(role), test=test).state == "validated"
    else:
        with pytest.raises(NotAllowed):
            validate_test(by=make_user(role), test=test)


def test_lead_who_was_a_tech_when_they_made_it_does_not_decide():
    author = make_user("red_tech")
    test = make_test(by=author, state="in_review")
    author.role = Role.RED_LEAD
    author.save()
    with pytest.raises(NotAllowed, match="Four eyes"):
        validate_test(by=author, test=test)


def test_every_way_to_write_leaves_its_involvement():
    author, admin = make_user("red_tech"), make_user("admin")
    test = make_test(by=author)
    edit_test(by=admin, test=test, changes={"name": "Better", "target": "host"})
    edit_test(by=admin, test=test, changes={"red_result": "blocked"})
    set_outcomes(by=admin, test=test, facts=[Fact(kind="prevented")])
    found = TestInvolvement.objects.filter(test=test).values_list("user", "kind")
    assert list(found) == [
        (author.pk, "created"),
        (admin.pk, "edited"),
        (admin.pk, "executed"),
        (admin.pk, "assessed"),
    ]


def test_red_tech_records_the_execution_of_any_test_and_leaves_the_blue_half_alone():
    red, test = make_user("red_tech"), make_test()
    with pytest.raises(NotAllowed, match="Only blue techs"):
        set_outcomes(by=red, test=test, facts=[Fact(kind="alerted")])
    edit_test(by=red, test=test, changes={"red_result": "succeeded"})
    assert set_outcomes(by=red, test=test, facts=[Fact(kind="alerted")]).outcome == "alerted"


def test_blue_tech_records_what_was_seen_and_leaves_the_red_half_alone():
    blue, test = make_user("blue_tech"), make_test()
    with pytest.raises(NotAllowed, match="Only red techs"):
        edit_test(by=blue, test=test, changes={"blue_notes": "Seen.", "red_result": "blocked"})
    assert Test.objects.get(pk=test.pk).blue_notes == ""
    assert edit_test(by=blue, test=test, changes={"blue_notes": "Seen."}).blue_notes == "Seen."


def test_participant_of_the_campaign_edits_its_tests():
    blue = make_user("blue_tech")
    test = make_campaign("T1059", participants=[blue]).tests.get()
    assert edit_test(by=blue, test=test, changes={"name": "Ours"}).name == "Ours"
    assert submit_test(by=blue, test=test).state == "in_review"


@pytest.mark.parametrize("state", ["draft", "in_review", "validated", "rejected"])
@pytest.mark.parametrize("role", Role.values)
def test_button_shows_exactly_where_the_service_would_do_it(role, state):
    user = make_user(role)
    test = make_test(state=state)
    moves = {
        "test.edit": lambda: edit_test(by=user, test=test, changes={"name": "New"}),
        "test.execute": lambda: edit_test(by=user, test=test, changes={"red_result": "blocked"}),
        "test.assess": lambda: edit_test(by=user, test=test, changes={"blue_notes": "New"}),
        "test.submit": lambda: submit_test(by=user, test=test),
        "test.decide": lambda: validate_test(by=user, test=test),
        "test.archive": lambda: archive_test(by=user, test=test),
    }
    shown = offered(user, test)
    for action, move in moves.items():
        assert succeeds(move) == (action in shown), action


def succeeds(move) -> bool:
    """Whether it would, tried and taken back."""
    sid = transaction.savepoint()
    try:
        move()
    except (NotAllowed, Conflict):
        return False
    finally:
        transaction.savepoint_rollback(sid)
    return True
