"""What an assessment of one framework is made of: seven queries, and three as it is written out, whatever there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple, Self
from uuid import UUID

from aegis.accounts.models import User
from aegis.audit.models import AuditLog
from catalog.models import AttackRelease, Technique
from compliance.models import DEFENDS, ComplianceControl, ComplianceControlMapping, ComplianceFramework
from coverage.figures.claims import CONTROL_IN_FORCE
from coverage.models import Evidence, Test
from coverage.oscal.words import control_token, identifier, installation, line, site
from coverage.testing.outcomes import Outcome, Sighting, Verdict, verdict
from coverage.testing.refusals import Conflict
from coverage.testing.workflow import State

CHUNK: Final = 500


class NothingProven(Conflict):
    """No validated test with an outcome stands behind any control of the framework: there are no results to tell of."""


class Result(NamedTuple):
    """What a validated test said of its technique, by the test's number; `uuid` is that of its observation."""

    test: int
    version: int
    uuid: str
    verdict: Verdict
    tester: int
    assessor: int
    target: str
    campaign: str
    began: datetime
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What the tests of one technique show: met, and missed."""

    results: tuple[Result, ...]

    @property
    def missed(self) -> list[Result]:
        """Those on which less was seen than they expected."""
        return [one for one in self.results if one.verdict == Verdict.MISSED]

    @property
    def met(self) -> list[Result]:
        """Those on which as much was seen as they expected, or more."""
        return [one for one in self.results if one.verdict == Verdict.MET]

    @property
    def is_satisfied(self) -> bool:
        """Whether tests met what they expected, and none missed it."""
        return bool(self.results) and not self.missed


class Objective(NamedTuple):
    """One control, and one technique that it is mapped to and that tests have tried."""

    control: ComplianceControl
    control_token: str
    technique: Technique

    @property
    def token(self) -> str:
        """The id of the objective: our tests of the technique, for this control."""
        return f"{self.control_token}_tests.{self.technique.mitre_id}"


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The facts behind one document. `attested` counts validated tests without an outcome, which prove nothing."""

    framework: ComplianceFramework
    release: str
    installation: UUID
    objectives: Sequence[Objective]
    standing: Mapping[str, Standing]
    users: Mapping[int, User]
    attested: int
    modified_at: datetime

    @classmethod
    def now(cls, framework: ComplianceFramework) -> Self:
        """The facts as they are. Raises NothingProven."""
        first = AuditLog.objects.filter(pk=1).values_list("mac", flat=True).first()
        ours = installation(first or "")
        pairs = list(_pairs(framework))
        tests = _Tests.read(ours, {technique.mitre_id for _, technique in pairs})
        objectives = [
            Objective(control, control_token(framework.slug, control.control_id), technique)
            for control, technique in pairs
            if technique.mitre_id in tests.standing
        ]
        if not objectives:
            raise NothingProven(
                f"No validated test with an outcome stands behind a control of {framework}: there is nothing to export yet."
            )
        return cls(
            framework=framework,
            release=str(AttackRelease.objects.current().first() or ""),
            installation=ours,
            objectives=objectives,
            standing=tests.standing,
            users=User.objects.in_bulk(tests.people),
            attested=tests.attested,
            modified_at=max(framework.changed_at, *tests.moments, *(one.control.changed_at for one in objectives)),
        )

    @cached_property
    def results(self) -> dict[int, Result]:
        """The results by the test's number, in its order."""
        found = {one.test: one for standing in self.standing.values() for one in standing.results}
        return dict(sorted(found.items()))

    @cached_property
    def controls(self) -> list[list[Objective]]:
        """The objectives of each control that has any."""
        return [list(group) for _, group in groupby(self.objectives, key=attrgetter("control_token"))]

    @cached_property
    def techniques(self) -> list[Technique]:
        """The techniques that tests have tried, by ATT&CK id."""
        return [
            known for _, known in sorted({one.technique.mitre_id: one.technique for one in self.objectives}.items())
        ]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the document is about: it changes with each of its facts, and with the name of each."""
        facts = (
            *(self.framework.content_hash, self.release, self.modified_at, self.attested, site()),
            [(one.uuid, one.version, one.verdict.value, one.campaign) for one in self.results.values()],
            [(one.token, str(one.control)) for one in self.objectives],
            [(str(technique), technique.url) for technique in self.techniques],
            sorted((pk, user.get_username()) for pk, user in self.users.items()),
        )
        return sha256(repr(facts).encode()).hexdigest()

    def uuid(self, *key: object) -> str:
        """The identifier of a thing that the documents of all frameworks share: a user, a technique, a target, a risk."""
        return identifier(self.installation, *key)

    def own_uuid(self, *key: object) -> str:
        """The identifier of a thing of this framework alone: the document, its result, its findings."""
        return identifier(self.installation, "framework", self.framework.slug, *key)

    def tests(self) -> Iterator[tuple[Test, list[Evidence]]]:
        """The tests behind the results with their evidence, by number, read while they are asked for: two queries."""
        rows = Test.objects.filter(state=State.VALIDATED).without_texts().select_related("campaign").order_by("pk")
        files = Evidence.objects.filter(test__state=State.VALIDATED).order_by("test_id", "uploaded_at", "pk")
        attached = groupby(files.iterator(chunk_size=CHUNK), key=attrgetter("test_id"))
        number, group = next(attached, (None, iter(())))
        for test in rows.iterator(chunk_size=CHUNK):
            while number is not None and number < test.pk:
                number, group = next(attached, (None, iter(())))
            evidence = list(group) if number == test.pk else []
            if test.pk in self.results:
                yield test, evidence

    def evidence(self) -> Iterator[Evidence]:
        """The files behind the results, read while they are asked for: one query."""
        files = Evidence.objects.filter(test__state=State.VALIDATED).order_by("test_id", "uploaded_at", "pk")
        return (file for file in files.iterator(chunk_size=CHUNK) if file.test_id in self.results)


@dataclass(frozen=True, kw_only=True)
class _Tests:
    """The validated tests of some techniques: what each technique's show, who took part, and when any of them changed."""

    standing: dict[str, Standing]
    people: set[int]
    moments: list[datetime]
    attested: int

    @classmethod
    def read(cls, ours: UUID, techniques: set[str]) -> Self:
        """One query. An archived test counts for nothing, but for when it was put away."""
        found: defaultdict[str, list[Result]] = defaultdict(list)
        moments, attested = [], 0
        for technique, archived_at, outcome, expected, result in _results(ours):
            if technique not in techniques:
                continue
            moments.append(archived_at or result.decided_at)
            said = verdict(State.VALIDATED, outcome, expected)
            if archived_at is None and said == Verdict.ATTESTED:
                attested += 1
            elif archived_at is None:
                found[technique].append(result._replace(verdict=said))
        results = [one for group in found.values() for one in group]
        people = {number for one in results for number in (one.tester, one.assessor)}
        standing = {technique: Standing(tuple(group)) for technique, group in found.items()}
        return cls(standing=standing, people=people, moments=moments, attested=attested)


def _pairs(framework: ComplianceFramework) -> Iterator[tuple[ComplianceControl, Technique]]:
    """The controls in force with each active technique that they claim to stand against, in their order. Three queries."""
    active = {one.mitre_id: one for one in Technique.objects.active().only("mitre_id", "name", "url")}
    in_force = ComplianceControl.objects.in_force().filter(framework=framework.slug).defer("description")
    rows = ComplianceControlMapping.objects.filter(CONTROL_IN_FORCE, DEFENDS, control__framework=framework).order_by()
    mapped: defaultdict[int, set[str]] = defaultdict(set)
    for control, technique in rows.exclude(technique=None).values_list("control_id", "technique_id"):
        mapped[control].add(str(technique))
    for control in in_force.order_by("sort_key", "pk"):
        for mitre_id in sorted(mapped[control.pk] & active.keys()):
            yield control, active[mitre_id]


def _results(ours: UUID) -> Iterator[tuple[str, datetime | None, Outcome, Sighting, Result]]:
    """All validated tests, by number."""
    rows = Test.objects.filter(state=State.VALIDATED).order_by("pk")
    said = ("technique_id", "archived_at", "outcome", "expected_outcome")
    about = ("pk", "version", "created_by_id", "decided_by_id", "target", "campaign__name")
    when = ("started_at", "created_at", "decided_at")
    for row in rows.values_list(*said, *about, *when).iterator(chunk_size=CHUNK):
        technique, archived_at, outcome, expected, *told, started, created, decided = row
        pk, version, tester, assessor, target, campaign = told
        uuid = identifier(ours, "test", pk, created.isoformat())
        where = (line(target), campaign or "")
        result = Result(pk, version, uuid, Verdict.OPEN, tester, assessor, *where, started or created, decided)
        yield str(technique), archived_at, Outcome(outcome), Sighting(expected), result
