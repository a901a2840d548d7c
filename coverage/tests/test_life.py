"""The whole life of tests against a model of it in plain Python, and that no history lets a status drift."""

from dataclasses import dataclass, field
from itertools import count

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from aegis.accounts.models import User
from aegis.accounts.policy import Role
from catalog.models import Technique
from catalog.tests.factories import make_technique
from coverage.models import TechniqueCoverage, Test, TestInvolvement
from coverage.services.creation import create_test
from coverage.services.decisions import archive_test, reject_test, submit_test, validate_test
from coverage.services.recording import Fact, edit_test, set_outcomes
from coverage.services.status import drift, refresh_all
from coverage.testing.refusals import IllegalMove, NotAllowed, StaleVersion

pytestmark = [pytest.mark.django_db, pytest.mark.long]

TECHS = {Role.RED_TECH, Role.BLUE_TECH}
DECIDERS = {Role.ADMIN, Role.RED_LEAD, Role.BLUE_LEAD}
FAMILY = ("T7001", "T7001.001", "T7001.002")
RANK = ["missed", "logged", "alerted", "prevented"]


@dataclass
class Model:
    """One test as it should be."""

    technique: str
    state: str = "draft"
    version: int = 1
    archived: bool = False
    outcome: str = "not_tested"
    hands: set[str] = field(default_factory=set)
    day: int = 0


class Life(RuleBasedStateMachine):
    """Seven people do whatever comes to their mind to the tests of a small family of techniques."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.days = count(1)
        self.active = set(FAMILY)
        self.models: dict[int, Model] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @initialize()
    def people_and_techniques(self) -> None:
        roles = [*Role, Role.RED_LEAD]
        self.people = [User.objects.create(username=f"{number}", role=role) for number, role in enumerate(roles)]
        for mitre_id in FAMILY:
            make_technique(mitre_id)
            self.create(self.people.index(next(one for one in self.people if one.role == Role.RED_TECH)), mitre_id)

    people_at = st.integers(0, 6)
    tests_at = st.integers(0, 4)
    seldom = st.integers(0, 5).map(lambda number: number == 5)

    @rule(person=people_at, technique=st.sampled_from(FAMILY))
    def create(self, person: int, technique: str) -> None:
        by = self.people[person]
        if technique not in self.active or len(self.models) > 4:
            return
        allowed = by.role in TECHS | {Role.ADMIN}
        subject = Technique.objects.get(mitre_id=technique)
        test = self.attempt(allowed, NotAllowed, lambda: create_test(by=by, technique=subject, name="A test"))
        if test:
            self.models[test.pk] = Model(technique, hands={by.username})

    @rule(person=people_at, test=tests_at, stale=seldom)
    def edit(self, person: int, test: int, stale: bool) -> None:
        changes = {"name": f"Name {next(self.days)}"}
        self.write(person, test, stale, lambda **at: edit_test(changes=changes, **at), edited)

    @rule(person=people_at, test=tests_at, outcome=st.sampled_from(["not_tested", *RANK]))
    def assess(self, person: int, test: int, outcome: str) -> None:
        facts = {"not_tested": [], "missed": [Fact(kind="alerted", seen=False, note=str(next(self.days)))]}.get(
            outcome, [Fact(kind=outcome, note=str(next(self.days)))]
        )
        if outcome == "not_tested" == self.model(test).outcome:
            return  # nothing would change, and nothing is written

        def assessed(model: Model, by: User) -> None:
            edited(model, by)
            model.outcome = outcome

        self.write(person, test, False, lambda **at: set_outcomes(facts=facts, **at), assessed, half=Role.BLUE_TECH)

    @rule(person=people_at, test=tests_at, stale=seldom)
    def submit(self, person: int, test: int, stale: bool) -> None:
        def submitted(model: Model, by: User) -> None:
            model.state = "in_review"

        self.write(person, test, stale, submit_test, submitted, states={"draft"})

    @rule(person=people_at, test=tests_at, stale=seldom, state=st.sampled_from(["validated", "rejected"]))
    def decide(self, person: int, test: int, stale: bool, state: str) -> None:
        def decided(model: Model, by: User) -> None:
            model.state, model.day = state, next(self.days)

        service = validate_test if state == "validated" else reject_test
        by, model = self.people[person], self.model(test)
        allowed = by.role in DECIDERS and by.username not in model.hands
        self.write(
            person, test, stale, lambda **at: service(note="So.", **at), decided, states={"in_review"}, allowed=allowed
        )

    @rule(test=tests_at, outcome=st.sampled_from(RANK), state=st.sampled_from(["validated", "validated", "rejected"]))
    def everybody_tries_to_bring_it_to_a_decision(self, test: int, outcome: str, state: str) -> None:
        for person in range(len(self.people)):
            self.assess(person, test, outcome)
            self.submit(person, test, stale=False)
        for person in range(len(self.people)):
            self.decide(person, test, stale=False, state=state)

    @rule(person=people_at, test=tests_at)
    def archive(self, person: int, test: int) -> None:
        def archived(model: Model, by: User) -> None:
            model.archived = True

        by, model = self.people[person], self.model(test)
        is_free = model.state not in {"validated", "rejected"} or by.username not in model.hands
        allowed = by.role in DECIDERS and is_free
        every = {"draft", "in_review", "validated", "rejected"}
        self.write(person, test, False, archive_test, archived, states=every, allowed=allowed)

    @rule(person=people_at, role=st.sampled_from(Role))
    def change_role(self, person: int, role: Role) -> None:
        self.people[person].role = role
        self.people[person].save()

    @rule(part=st.sampled_from(FAMILY[1:]))
    def revoke_or_restore(self, part: str) -> None:
        """What an import does, in one transaction with its recalculation."""
        self.active ^= {part}
        Technique.objects.filter(mitre_id=part).update(revoked=part not in self.active)
        refresh_all()

    def write(
        self, person, test, stale, service, change, *, states=frozenset({"draft", "rejected"}), allowed=None, half=None
    ):
        """Try `service`; it has to succeed, or be refused for the first of the reasons, as the model says."""
        by, model = self.people[person], self.model(test)
        pk = list(self.models)[test % len(self.models)]
        if allowed is None:
            allowed = by.role == Role.ADMIN or (by.role in TECHS and (by.username in model.hands or by.role == half))
        refusal = (
            StaleVersion
            if stale
            else NotAllowed
            if not allowed
            else IllegalMove
            if model.archived or model.state not in states
            else None
        )
        version = model.version - stale
        subject = Test(pk=pk)
        if self.attempt(refusal is None, refusal, lambda: service(by=by, test=subject, version=version)):
            model.version += 1
            change(model, by)

    def attempt(self, succeeds, refusal, service):
        if succeeds:
            return service()
        with pytest.raises(refusal), transaction.atomic():
            service()
        return None

    def model(self, test: int) -> Model:
        """The test of this number, counted round and round."""
        return list(self.models.values())[test % len(self.models)]

    @invariant()
    def rows_are_what_the_model_says(self) -> None:
        for pk, model in self.models.items():
            test = Test.objects.get(pk=pk)
            hands = set(TestInvolvement.objects.filter(test=pk).values_list("user__username", flat=True))
            found = (test.state, test.version, test.is_archived, test.outcome, hands)
            assert found == (model.state, model.version, model.archived, model.outcome, model.hands)

    @invariant()
    def nothing_drifts(self) -> None:
        assert list(drift()) == []

    @invariant()
    def statuses_are_what_the_model_says(self) -> None:
        rows = dict(TechniqueCoverage.objects.values_list("technique__mitre_id", "status"))
        parts = [self.own_status(part) for part in FAMILY[1:] if part in self.active]
        own = self.own_status(FAMILY[0])
        whole = [*([own] if own or not parts else []), *parts]
        wanted = {part: self.own_status(part) or "not_covered" for part in FAMILY[1:]} | {FAMILY[0]: family(whole)}
        assert {mitre_id: rows.get(mitre_id, "not_covered") for mitre_id in FAMILY} == wanted

    def own_status(self, technique: str) -> str:
        """The status by the tests of one technique, said in another way than the code; empty without any."""
        tests = [model for model in self.models.values() if model.technique == technique and not model.archived]
        validated = [model for model in tests if model.state == "validated"]
        last = max((model.day for model in validated), default=0)
        pending = [m for m in tests if m.state in {"draft", "in_review"} or (m.state == "rejected" and m.day > last)]
        missed = [model for model in validated if model.outcome in {"missed", "logged"}]
        if not validated:
            return "in_progress" if tests else ""
        if len(missed) == len(validated):
            return "in_progress" if pending else "not_covered"
        return "partial" if missed or pending else "validated"


def edited(model: Model, by: User) -> None:
    model.state = "draft"
    model.hands.add(by.username)


def family(parts: list[str]) -> str:
    """The status of a whole, by the best and the worst of its parts."""
    order = ["", "not_covered", "in_progress", "partial", "validated"]
    ranks = sorted(order.index(part) for part in parts)
    if ranks[0] == 4:
        return "validated"
    return ["not_covered", "not_covered", "in_progress", "partial", "partial"][ranks[-1]]


def test_life_of_tests_is_the_models_whatever_people_do():
    run_state_machine_as_test(Life, settings=settings(max_examples=25, stateful_step_count=20, deadline=None))
