"""Four eyes and the memory of who had a hand in a test hold even against the ORM: the database refuses."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from aegis.accounts.tests.factories import make_user
from catalog.tests.factories import make_technique
from coverage.models import Test, TestInvolvement
from coverage.triggers import APPEND_ONLY, DECIDER_INVOLVED, INVOLVED_DECIDER

pytestmark = pytest.mark.django_db


@pytest.fixture
def test_in_review() -> Test:
    author = make_user("red_tech")
    test = Test.objects.create(
        technique=make_technique("T1059"), name="A test", state="in_review", created_by=author, updated_by=author
    )
    TestInvolvement.objects.create(test=test, user=author, kind="created")
    return test


def decide(test: Test, user, state: str) -> None:
    Test.objects.filter(pk=test.pk).update(
        state=state, decided_by=user, decided_at=timezone.now(), decision_note="Seen.", decided_on_hash="0" * 64
    )


def refused(message: str):
    return pytest.raises(IntegrityError, match=message)


@pytest.mark.parametrize("kind", TestInvolvement.Kind.values)
@pytest.mark.parametrize("state", ["validated", "rejected"])
def test_database_refuses_a_decision_of_somebody_involved(test_in_review, kind, state):
    lead = make_user("red_lead")
    TestInvolvement.objects.create(test=test_in_review, user=lead, kind=kind)
    with refused(INVOLVED_DECIDER), transaction.atomic():
        decide(test_in_review, lead, state)
    decide(test_in_review, make_user("blue_lead"), state)


def test_database_refuses_to_involve_the_decider(test_in_review):
    lead = make_user("red_lead")
    decide(test_in_review, lead, "validated")
    with refused(DECIDER_INVOLVED), transaction.atomic():
        TestInvolvement.objects.create(test=test_in_review, user=lead, kind="evidence")
    TestInvolvement.objects.create(test=test_in_review, user=make_user("blue_tech"), kind="evidence")


def test_database_refuses_a_decision_of_the_creator_without_any_involvement(test_in_review):
    author = make_user("admin")
    test = Test.objects.create(
        technique=test_in_review.technique, name="Another", state="in_review", created_by=author, updated_by=author
    )
    with refused("test_is_not_decided_by_its_creator"), transaction.atomic():
        decide(test, author, "validated")


def test_involvement_is_neither_changed_nor_deleted(test_in_review):
    involvement = TestInvolvement.objects.get()
    with refused(APPEND_ONLY), transaction.atomic():
        TestInvolvement.objects.update(kind="edited")
    with refused(APPEND_ONLY), transaction.atomic():
        involvement.delete()
    assert TestInvolvement.objects.get().kind == "created"


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("test_decision_has_a_decider", {"state": "validated"}),
        ("test_decision_has_a_decider", {"state": "rejected", "decision_note": "No."}),
        ("test_state_is_known", {"state": "done"}),
        ("test_outcome_is_known", {"outcome": "great"}),
        ("test_expectation_is_known", {"expected_outcome": "missed"}),
    ],
)
def test_database_refuses_what_cannot_be(test_in_review, constraint, fields):
    with refused(constraint), transaction.atomic():
        Test.objects.update(**fields)


def test_rejection_needs_a_reason_in_the_database_too(test_in_review):
    with refused("test_rejection_has_a_reason"), transaction.atomic():
        Test.objects.update(
            state="rejected", decided_by=make_user("red_lead"), decided_at=timezone.now(), decided_on_hash="0" * 64
        )
