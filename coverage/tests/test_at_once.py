"""Several people at once: exactly one decision each, the others are told, and the statuses are what the tests say."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from threading import Barrier

import pytest
from django.db import connection

from aegis.accounts.tests.factories import bearer, make_user
from aegis.audit.models import AuditLog
from aegis.audit.verification import Verification
from catalog.tests.factories import make_technique
from coverage.models import SavedView, TechniqueCoverage, Test, TestInvolvement
from coverage.services.creation import create_test
from coverage.services.decisions import archive_test, submit_test, validate_test
from coverage.services.recording import edit_test
from coverage.services.status import drift
from coverage.services.views import save_view
from coverage.testing.refusals import Conflict
from coverage.tests.factories import make_test

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
ROUNDS = 200 if connection.vendor == "postgresql" else 30
"""SQLite lets one writer in at a time, so that there is less to find out."""

Works = Callable[..., list[object]]


@pytest.fixture
def at_once() -> Iterator[Works]:
    """Carries out pieces of work, four at most, that start at the same moment; gives what each returned, or its Conflict."""
    with ThreadPoolExecutor(4) as pool:
        yield lambda *works: _all_at_once(pool, works)
        _all_at_once(pool, [_close_own_connection] * 4)


def _close_own_connection() -> None:
    connection.close()  # looked up in the thread that runs this


def _all_at_once(pool: ThreadPoolExecutor, works: Sequence[Callable[[], object]]) -> list[object]:
    start = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        start.wait(timeout=60)
        try:
            return work()
        except Conflict as refusal:
            return refusal

    return list(pool.map(run, works))


def test_of_those_who_write_at_once_by_the_api_one_wins_and_the_others_are_told_who(at_once):
    author = make_user("red_tech")
    red, blue, writer = (bearer(user) for user in (make_user("red_lead"), make_user("blue_lead"), author))
    technique = make_technique("T1059")
    for number in range(ROUNDS):
        test = submit_test(by=author, test=create_test(by=author, technique=technique, name=f"Round {number}"))
        path, seen = f"/api/v1/tests/{test.pk}", {"version": test.version}
        known = seen if number % 2 else {}
        answers = at_once(
            lambda path=path, known=known: red.post(f"{path}/validate", known, format="json"),
            lambda path=path, known=known: blue.post(f"{path}/reject", known | {"reason": "No."}, format="json"),
            lambda path=path, seen=seen: writer.patch(path, seen | {"target": "host"}, format="json"),
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        [winner] = [answer.json() for answer in answers if answer.status_code == 200]
        [told] = [answer.json()["detail"] for answer in answers[:2] if answer.status_code == 409]
        assert f"{winner['decided_by']} {winner['state']} it" in told
        stands = Test.objects.get(pk=test.pk)
        assert (stands.state, stands.version, stands.target) == (winner["state"], test.version + 1, "")
    assert AuditLog.objects.filter(action__in=["test.validated", "test.rejected"]).count() == ROUNDS
    assert list(drift()) == []
    assert list(Verification().flaws()) == []


def test_edit_and_submission_at_once_leave_one_story(at_once):
    author = make_user("red_tech")
    for number in range(ROUNDS // 10):
        test = make_test(by=author)
        answers = at_once(
            lambda test=test, number=number: edit_test(
                by=author, test=test, version=test.version, changes={"target": f"host {number}"}
            ),
            lambda test=test: submit_test(by=author, test=test, version=test.version),
        )
        assert sorted(isinstance(answer, Conflict) for answer in answers) == [False, True]
        assert Test.objects.get(pk=test.pk).version == test.version + 1


def test_decisions_on_several_tests_of_one_family_at_once_count_each_other(at_once):
    lead, other, author = make_user("red_lead"), make_user("blue_lead"), make_user("admin")
    family = [make_technique(mitre_id) for mitre_id in ("T1059", "T1059.001", "T1059.002")]
    chance = Random(7)
    for round_number in range(ROUNDS // 10):
        tests = [
            submit_test(by=author, test=create_test(by=author, technique=technique, name=f"Round {round_number}"))
            for technique in family
        ]
        chance.shuffle(tests)
        answers = at_once(
            lambda test=tests[0]: validate_test(by=lead, test=test),
            lambda test=tests[1]: validate_test(by=other, test=test),
            lambda test=tests[2]: validate_test(by=other, test=test),
            lambda: create_test(by=author, technique=family[1], name="Meanwhile"),
        )
        assert all(isinstance(answer, Test) for answer in answers)
        assert list(drift()) == []
        for test in Test.objects.open():
            archive_test(by=lead, test=test)
        statuses = {(str(row.technique_id), row.status) for row in TechniqueCoverage.objects.all()}
        assert statuses == {(technique.mitre_id, "validated") for technique in family}


def test_first_tests_of_one_technique_at_once_make_one_row(at_once):
    author, technique = make_user("red_tech"), make_technique("T1059")
    works = [lambda number=number: create_test(by=author, technique=technique, name=f"{number}") for number in range(4)]
    assert all(isinstance(answer, Test) for answer in at_once(*works))
    row = TechniqueCoverage.objects.get()
    assert (row.status, row.tests_total, TestInvolvement.objects.count()) == ("in_progress", 4, 4)


def test_a_view_that_is_saved_twice_at_once_is_one_view(at_once):
    viewer = make_user("viewer")
    for number in range(ROUNDS // 5):
        name = f"Round {number}"
        at_once(*(partial(save_view, by=viewer, name=name, query=f"platform={one}") for one in range(4)))
        assert SavedView.objects.filter(user=viewer, name=name).count() == 1
